#pragma once

/// Prints, for every hash and strategy, how evenly a million keys of several kinds lie over 4, 16
/// and 100 shards, which share of them moves when a shard joins or leaves, and the memory taken.
void print_evenness();
