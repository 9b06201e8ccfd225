"""What the Python suites share: the transcript. A suite is a list of steps; each prints what it saw."""
import os
import sys
import threading

URL = os.environ["DATABASE_URL"]
steps = []


def step(function):
    """Makes a function a step of the suite, called by its name in the transcript."""
    steps.append(function)
    return function


def say(what, *values):
    print(what + ":", *[value if isinstance(value, str) else repr(value) for value in values], flush=True)


def refused(what, errors, sqlstate, action):
    """Says which error `action` ends with, as the driver shows it."""
    try:
        action()
    except errors as error:
        say(what, type(error).__name__, *sqlstate(error))
    else:
        say(what, "no error")


def in_threads(count, work):
    """Runs work(0) … work(count - 1), each in a thread of its own; their results in that order."""
    results = [None] * count

    def run(number):
        try:
            results[number] = work(number)
        except Exception as error:  # what went wrong belongs into the transcript
            results[number] = "%s: %s" % (type(error).__name__, error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def run(driver, version, before_each):
    """Runs the steps. A step that ends with an exception says so, and the next one begins."""
    print("driver:", driver, version)
    for function in steps:
        print("==", function.__name__.replace("_", " "), flush=True)
        try:
            before_each()
            function()
        except Exception as error:
            print("!!", type(error).__name__, " ".join(str(error).split()))
            if os.environ.get("DRIVERS_TRACE"):
                import traceback
                traceback.print_exc(file=sys.stderr)
