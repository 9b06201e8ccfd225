#include "rewriter/fed_reads.h"

#include <algorithm>
#include <set>

namespace anabranch::rewriter {
namespace {

using Kind = Distribution::Kind;

constexpr int kAnyInstance = 1'000'000'003;

class Choosing {
 public:
  explicit Choosing(Planning& planning) : planning_(planning), query_(planning.query) {}

  std::vector<FedRead> choose() {
    const bool copies = query_.reference(query_.at(query_.target));
    for (const bool whole_subqueries : {copies, !copies}) {
      whole_subqueries_ = whole_subqueries;
      reads_.clear();
      collect(*query_.top);
      for (const FedRead& read : reads_) mark(read, true);
      if (!reads_.empty() && does()) return as_few_as_will_do();
      for (const FedRead& read : reads_) mark(read, false);
    }
    return {};
  }

 private:
  std::vector<FedRead> as_few_as_will_do() {
    std::erase_if(reads_, [&](const FedRead& read) {
      mark(read, false);
      const bool without = does();
      if (!without) mark(read, true);
      return without;
    });
    return std::move(reads_);
  }

  void mark(const FedRead& read, bool fed) {
    if (read.block >= 0) query_.blocks[static_cast<std::size_t>(read.block)]->fed = fed;
    if (read.instance >= 0) query_.instances[static_cast<std::size_t>(read.instance)]->fed = fed;
  }

  /// Each shard of the target can carry it out for its own rows.
  bool does() const {
    Analysis analysis(query_, planning_.functions);
    const Distribution rows = analysis.rows_of_write(*query_.top).distribution;
    const Instance& target = query_.at(query_.target);
    if (query_.sharded(target)) return rows.kind == Kind::sharded;
    if (query_.reference(target)) return rows.same_everywhere() && rows.unstable.empty();
    const router::MappedTable* table = query_.mapped(target);
    return rows.kind == Kind::whole && rows.shard == static_cast<int>(table == nullptr ? planning_.map().default_shard() : table->shard);
  }

  void collect(const Block& block) {
    // Its text is the catalog's.
    if (block.from_view) return;
    for (const int index : block.instances) {
      if (index != query_.target) add_instance(block, index);
    }
    // In the order in which they stand: a map of addresses has none.
    for (std::size_t i = 0; i < query_.blocks.size(); ++i) {
      const Block* inner = query_.blocks[i].get();
      const bool here = std::ranges::any_of(block.subqueries, [&](const auto& at) { return at.second == inner; });
      if (here) add_block(*inner, {static_cast<int>(i), -1});
    }
    if (block.left != nullptr) {
      collect(*block.left);
      collect(*block.right);
    }
  }

  void add_instance(const Block& block, int index) {
    const Instance& instance = query_.at(index);
    const FedRead whole{-1, index};
    if (instance.kind == Instance::Kind::table) {
      const bool known = std::ranges::find(reads_, index, &FedRead::instance) != reads_.end();
      if (!query_.reference(instance) && instance.relation != nullptr && !known) reads_.push_back(whole);
      return;
    }
    if (instance.kind != Instance::Kind::derived || instance.block == nullptr) return;
    const bool named = std::ranges::any_of(block.of_item, [&](const auto& at) {
      return at.second == index && at.first->template as<tree::TableRef>() != nullptr;
    });
    add_block(*instance.block, named ? whole : FedRead{index_of(*instance.block), -1});
  }

  void add_block(const Block& block, FedRead read) {
    if (!whole_subqueries_ || is_correlated(query_, block)) return collect(block);
    Analysis analysis(query_, planning_.functions);
    const Distribution rows = analysis.of(block, {}, kAnyInstance);
    if (!rows.same_everywhere() || !rows.unstable.empty()) reads_.push_back(read);
  }

  int index_of(const Block& block) const {
    const auto found = std::ranges::find_if(query_.blocks, [&](const auto& at) { return at.get() == &block; });
    return static_cast<int>(found - query_.blocks.begin());
  }

  Planning& planning_;
  Query& query_;
  std::vector<FedRead> reads_;
  bool whole_subqueries_ = false;
};

}  // namespace

std::vector<const Block*> blocks_within(const Query& query, const Block& block) {
  std::vector<const Block*> within;
  for (const auto& each : query.blocks) {
    const Block* at = each.get();
    while (at != nullptr && at != &block) at = at->parent;
    if (at != nullptr) within.push_back(each.get());
  }
  return within;
}

std::set<std::string> outer_ctes(const Query& query, const Block& block) {
  const auto within = blocks_within(query, block);
  std::set<std::string> outer;
  for (const Block* at : within) {
    for (const int index : at->instances) {
      const Instance& instance = query.at(index);
      const bool inner = std::ranges::find(within, instance.block) != within.end();
      if (!instance.cte.empty() && !inner) outer.insert(instance.cte);
    }
  }
  return outer;
}

bool is_correlated(const Query& query, const Block& block) {
  const auto within = blocks_within(query, block);
  std::set<int> own;
  for (const Block* at : within) own.insert(at->instances.begin(), at->instances.end());
  bool outside = false;
  for (const Block* at : within) {
    each_expression(*at, [&](const tree::Expr& expr) {
      tree::walk(expr, [&](const tree::Expr& inner) {
        const auto* reference = inner.as<tree::ColumnRef>();
        if (reference == nullptr || (reference->star && reference->parts.empty())) return !outside;
        const int instance = ident_of(*reference).instance;
        outside |= (instance >= 0 && !own.contains(instance)) || instance == -1;
        return !outside;
      });
    });
  }
  return outside;
}

std::vector<FedRead> choose_fed_reads(Planning& planning) {
  return Choosing(planning).choose();
}

}  // namespace anabranch::rewriter
