#!/usr/bin/python3
"""Writes nodes.tsv: where ring, rendezvous, multi_probe and maglev place keys, as
docs/configuration.md defines them, in the plainest way that there is: no search, no table of
cells, no shortcut. The logarithm has 40 digits. Needs Debian's python3-xxhash."""
import random
from decimal import Decimal, getcontext

import xxhash

getcontext().prec = 40
MASK = 2**64 - 1
SHARDS = {
    "even": [("s1", 1), ("s2", 1), ("s3", 1), ("s4", 1)],
    "weighted": [("s1", 1), ("s2", 2), ("s3", 7)],
    "words": [("eu-west", 3), ("eu-north", 1), ("us", 1000), ("ap", 250), ("Łódź", 40)],
    "one": [("alone", 5)],
}


def xxh64(text):
    return xxhash.xxh64_intdigest(text.encode(), 0)


def int_hash64(x):
    x ^= 0x4CF2D2BAAE6DA887
    x ^= x >> 33
    x = x * 0xFF51AFD7ED558CCD & MASK
    x ^= x >> 33
    x = x * 0xC4CEB9FE1A85EC53 & MASK
    return x ^ x >> 33


def ring(shards, f1, virtual_nodes):
    points = [(xxh64(f"{name}#{i}"), name) for name, w in shards for i in range(virtual_nodes * w)]
    return min(((at - f1) & MASK, name) for at, name in points)[1]


def rendezvous(shards, f1):
    def score(name, weight):
        v = Decimal(int_hash64(f1 ^ xxh64(name)) >> 11) / 2**53
        return -(1 - v).ln() / weight

    return min((score(name, weight), name) for name, weight in shards)[1]


def multi_probe(shards, f1, probes):
    places = [int_hash64(f1 ^ int_hash64(i)) for i in range(probes)]
    return min(((xxh64(name) - place) & MASK, name) for place in places for name, _ in shards)[1]


def maglev_table(shards, size):
    table, turns, steps = [None] * size, {}, {}
    for _ in range(size):
        # whose next turn, the k-th at k / weight, is the earliest
        name, _ = min(shards, key=lambda s: (Decimal(turns.get(s[0], 0)) / s[1], s[0].encode()))
        node = xxh64(name)
        while True:
            step = steps.get(name, 0)
            steps[name] = step + 1
            slot = (node % size + step * (int_hash64(node) % (size - 1) + 1)) % size
            if table[slot] is None:
                break
        table[slot] = name
        turns[name] = turns.get(name, 0) + 1
    return table


def main():
    random.seed(6)
    keys = [0, 1, 2, 3, 2**32 - 1, 2**63, MASK] + [random.getrandbits(64) for _ in range(23)]
    with open("nodes.tsv", "w") as out:
        out.write("# Made by record_nodes.py: strategy, its parameter, shards by weight, F1, shard.\n")
        for shards in SHARDS.values():
            text = ",".join(f"{name}:{weight}" for name, weight in shards)

            def put(strategy, parameter, f1, shard):
                out.write(f"{strategy}\t{parameter}\t{text}\t{f1}\t{shard}\n")

            tables = {size: maglev_table(shards, size) for size in (101, 1009)}
            for f1 in keys:
                for n in (1, 160) if shards[-1][0] != "Łódź" else (3,):
                    put("ring", n, f1, ring(shards, f1, n))
                put("rendezvous", 0, f1, rendezvous(shards, f1))
                for n in (1, 21):
                    put("multi_probe", n, f1, multi_probe(shards, f1, n))
                for size, table in tables.items():
                    put("maglev", size, f1, table[f1 % size])


main()
