"""Django: its own applications and one of ours, migrated forwards and backwards; the ORM; introspection."""
import datetime as dt
import io
import os
import re
import uuid

import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {
        "ENGINE": "django.db.backends.mysql", "NAME": "shop", "USER": "app", "PASSWORD": "app-secret", "HOST": os.environ["MYSQL_HOST"],
        "PORT": os.environ["MYSQL_TCP_PORT"], "CONN_MAX_AGE": None, "OPTIONS": {"charset": "utf8mb4", "isolation_level": "repeatable read"}}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "shop"],
    USE_TZ=True, TIME_ZONE="Europe/Berlin", DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", SECRET_KEY="driver suite")
django.setup()

from django.contrib.auth.models import Group, User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.db.models import Avg, Count, Exists, F, Max, OuterRef, Q, Sum  # noqa: E402
from django.db.utils import DataError, IntegrityError, OperationalError, ProgrammingError  # noqa: E402

from steps import in_threads, refused, run, say, step  # noqa: E402
from shop.models import Country, Customer, Label, Note, Order  # noqa: E402


def fails(what, action):
    def state(error):
        return (error.__cause__ or error).args

    refused(what, (DataError, IntegrityError, OperationalError, ProgrammingError), state, action)


def clear():
    connection.close()


def command(*arguments, **options):
    out = io.StringIO()
    call_command(*arguments, stdout=out, no_color=True, **options)
    return out.getvalue()


def show(what):
    """The tables of the shop as Django's introspection sees them."""
    with connection.cursor() as cursor:
        names = [name for name in connection.introspection.table_names(cursor) if name.startswith("shop_")]
        for name in sorted(names):
            columns = connection.introspection.get_table_description(cursor, name)
            say(what + " " + name, [(column.name, connection.introspection.data_types_reverse.get(column.type_code), column.null_ok, column.internal_size) for column in columns])
            constraints = connection.introspection.get_constraints(cursor, name)
            say(what + " " + name, sorted((re.sub(r"_[0-9a-f]{8}(?=_|$)", "_x", key), value["columns"], value["primary_key"], value["unique"],
                                           value["foreign_key"], value["index"]) for key, value in constraints.items()))


@step
def migrations_of_django_itself():
    for line in command("migrate", "auth").splitlines() + command("migrate", "sessions").splitlines():
        say("migrate", line)
    say("applied", command("showmigrations", "auth", "sessions").split())


@step
def migrations_forwards():
    for name in ("0001", "0002", "0003"):
        command("migrate", "shop", name)
        show(name)
    say("countries", list(Country.objects.order_by("code").values_list()))
    say("nothing to make", command("makemigrations", "--check", "--dry-run"))


@step
def migrations_backwards():
    command("migrate", "shop", "0001")
    show("0001")
    command("migrate", "shop", "zero")
    show("zero")
    command("migrate", "shop")
    show("all")


def with_customers(count=12):
    Order.objects.all().delete()
    Customer.objects.all().delete()
    for code, name in (("DE", "Germany"), ("FR", "France")):
        Country.objects.update_or_create(code=code, defaults={"name": name})
    for number in range(1, count + 1):
        Customer.objects.create(id=number, name="customer %d" % number, country_id="DE" if number % 3 else "FR", balance=number * 10,
                                settings={"n": number, "deep": {"er": [number]}}, photo=bytes([number, 0, 255]), patience=dt.timedelta(seconds=number, microseconds=7),
                                seen=dt.datetime(2024, 6, number, 12, tzinfo=dt.timezone.utc))


def with_orders():
    with_customers()
    for number in range(1, 13):
        Order.objects.bulk_create([Order(id=uuid.UUID(int=number * 100 + n), customer_id=number, amount=number * n, placed=dt.date(2024, n, 1))
                                   for n in range(1, 4)])


@step
def models_written_and_read():
    with_customers(3)
    customer = Customer.objects.get(pk=2)
    say("read", customer.name, customer.country.name, customer.balance, customer.settings, bytes(customer.photo), customer.patience, customer.seen, customer.active)
    customer.name = "renamed"
    customer.save()
    customer.balance = F("balance") + 5
    customer.save(update_fields=["balance"])
    customer.refresh_from_db()
    say("saved", customer.name, customer.balance)
    Customer(id=50, name="saved new").save()
    say("got or created", Customer.objects.get_or_create(id=51, defaults={"name": "new"})[1], Customer.objects.get_or_create(id=51, defaults={"name": "new"})[1])
    say("updated or created", Customer.objects.update_or_create(id=51, defaults={"name": "newer"})[0].name)
    say("bulk", len(Customer.objects.bulk_create([Customer(id=n, name="bulk %d" % n) for n in range(60, 80)], ignore_conflicts=True)))
    say("updated", Customer.objects.filter(id__gte=60).update(nickname="many", balance=F("balance") + 1))
    say("deleted", Customer.objects.filter(id__gte=70).delete())
    say("count", Customer.objects.count())
    say("in bulk", sorted(Customer.objects.in_bulk([1, 2, 999])))


@step
def queries():
    with_orders()
    for query in (Customer.objects.filter(balance__gt=50).order_by("-balance").values_list("id", "balance")[:4],
                  Customer.objects.filter(Q(country="FR") | Q(id=1)).order_by("id").values_list("id", flat=True),
                  Customer.objects.exclude(name__endswith="3").filter(id__lte=4).order_by("id").values_list("id", flat=True),
                  Customer.objects.filter(name__regex="[12]$").order_by("id").values_list("id", flat=True),
                  Customer.objects.filter(patience__gt=dt.timedelta(seconds=10)).order_by("id").values_list("id", flat=True),
                  Customer.objects.filter(settings__deep__er__0=5).values_list("id", flat=True),
                  Customer.objects.filter(settings__n__gte=10).order_by("id").values_list("id", flat=True),
                  Customer.objects.filter(name__icontains="MER 1").order_by("id").values_list("name", flat=True),
                  Customer.objects.filter(seen__date=dt.date(2024, 6, 5)).values_list("id", flat=True),
                  Customer.objects.values("country__name").annotate(n=Count("id"), total=Sum("balance")).order_by("country__name"),
                  Customer.objects.annotate(spent=Sum("orders__amount")).filter(spent__gt=50).order_by("id").values_list("id", "spent"),
                  Customer.objects.annotate(big=Exists(Order.objects.filter(customer=OuterRef("pk"), amount__gt=30))).filter(big=True).order_by("id").values_list("id", flat=True),
                  Order.objects.filter(customer__country="FR").order_by("customer_id", "placed").values_list("customer__name", "amount"),
                  Order.objects.values("placed__month").annotate(n=Count("id"), most=Max("amount")).order_by("placed__month"),
                  Order.objects.dates("placed", "month"),
                  Customer.objects.values_list("country", flat=True).distinct().order_by("country")):
        say("rows", list(query))
    say("aggregate", Order.objects.aggregate(Sum("amount"), Avg("amount"), Count("customer", distinct=True)))
    say("exists", Customer.objects.filter(pk=5).exists(), Customer.objects.filter(pk=500).exists())
    say("first and last", Customer.objects.first().pk, Customer.objects.last().pk, Order.objects.latest("placed", "amount").amount)
    say("related", [(customer.pk, len(customer.orders.all())) for customer in Customer.objects.prefetch_related("orders").order_by("pk")])
    say("selected", [(order.customer.country.name, order.amount) for order in Order.objects.select_related("customer__country").filter(customer__lte=2).order_by("customer_id", "amount")])
    say("iterated", sum(1 for _ in Order.objects.order_by("id").iterator(chunk_size=5)))
    say("cascade", Customer.objects.get(pk=4).delete())
    say("raw", [customer.name for customer in Customer.objects.raw("SELECT * FROM shop_customer WHERE id < %s ORDER BY id", [3])])


@step
def notes_with_labels():
    Note.objects.all().delete()
    red, green = Label.objects.get_or_create(name="red")[0], Label.objects.get_or_create(name="green")[0]
    note = Note.objects.create(body="first")
    note.labels.add(red, green)
    say("made", len(Note.objects.bulk_create([Note(body="n%d" % n) for n in range(4)])))
    say("keys", [other.pk - note.pk for other in Note.objects.order_by("pk")])
    say("labels", list(note.labels.order_by("name").values_list("name", flat=True)), red.note_set.count())
    note.labels.set([green])
    say("set", list(note.labels.values_list("name", flat=True)))
    say("annotated", list(Label.objects.annotate(n=Count("note")).order_by("name").values_list("name", "n")))
    with transaction.atomic():
        say("locked", Note.objects.select_for_update().get(pk=note.pk).body)
    fails("unique", lambda: Label.objects.create(name="red"))
    fails("check", lambda: Note.objects.create(body=""))
    note.delete()


@step
def transactions():
    with_customers(3)
    try:
        with transaction.atomic():
            Customer.objects.filter(pk=1).update(name="lost")
            raise KeyError
    except KeyError:
        pass
    hooks = []
    with transaction.atomic():
        Customer.objects.filter(pk=1).update(name="kept")
        transaction.on_commit(lambda: hooks.append("committed"))
        try:
            with transaction.atomic():
                Customer.objects.create(pk=1, name="again")
        except IntegrityError as error:
            say("inner", (error.__cause__ or error).args)
        locked = Customer.objects.select_for_update().get(pk=1)
        locked.balance += 1
        locked.save()
    say("after", Customer.objects.get(pk=1).name, Customer.objects.get(pk=1).balance, hooks)
    with transaction.atomic():
        first = transaction.savepoint()
        Customer.objects.filter(pk=2).delete()
        transaction.savepoint_rollback(first)
    say("count", Customer.objects.count())
    fails("duplicate", lambda: Customer.objects.create(pk=1, name="x"))
    fails("too long", lambda: Customer.objects.create(pk=99, name="x" * 99))
    fails("no such column", lambda: Customer.objects.extra(where=["nothing = 1"]).count())


@step
def users_and_groups():
    User.objects.all().delete()
    user = User.objects.create_user("ada", "ada@example.org", "secret")
    group = Group.objects.get_or_create(name="staff")[0]
    user.groups.add(group)
    say("password", User.objects.get(username="ada").check_password("secret"), list(user.groups.values_list("name", flat=True)))
    say("permissions", group.permissions.count(), user.has_perm("shop.add_note"))


@step
def requests_in_threads():
    with_customers(8)

    def work(number):
        try:
            for turn in range(6):
                with transaction.atomic():
                    customer = Customer.objects.select_for_update().get(pk=number + 1)
                    customer.balance += 1
                    customer.save()
                    Order.objects.create(id=uuid.UUID(int=number * 1000 + turn), customer=customer, amount=turn, placed=dt.date(2024, 1, 1))
            return Order.objects.filter(customer=number + 1).count()
        finally:
            connection.close()

    say("orders", in_threads(8, work))
    say("balances", list(Customer.objects.order_by("id").values_list("balance", flat=True)))


@step
def inspectdb():
    for line in command("inspectdb", "orders", "customers", "countries", "notes", "documents", "samples").splitlines():
        if line.strip() and not line.startswith("#"):
            say("line", line)
    say("tables", sorted(connection.introspection.table_names()))


@step
def fixtures():
    with_customers(2)
    dumped = command("dumpdata", "shop.customer", "shop.country", indent=1)
    say("dumped", dumped.count('"pk"'))
    say("flushed", command("sqlflush").count("DELETE FROM"))


@step
def everything_goes():
    Order.objects.all().delete()
    Customer.objects.all().delete()
    for app in ("shop", "sessions", "auth", "contenttypes"):
        command("migrate", app, "zero")
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE django_migrations")
        say("tables", [name for name in connection.introspection.table_names(cursor) if name.startswith(("shop", "django", "auth"))])


run("Django", django.get_version() + " (over mysqlclient)", clear)
connection.close()
