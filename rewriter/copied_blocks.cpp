#include "rewriter/copied_blocks.h"

#include <utility>

#include "rewriter/pieces.h"

namespace anabranch::rewriter {
namespace {

class Following {
 public:
  Following(const Query& query, const std::set<const tree::Select*>& left_out, const CopiedBlock& visit)
      : query_(query), left_out_(left_out), visit_(visit) {}

  void follow(const tree::Select& original, tree::Select& copy, const Block& block) const {
    for (std::size_t i = 0; i < copy.with.ctes.size(); ++i) {
      auto* inner = copy.with.ctes[i].statement->as<tree::Select>();
      const auto* before = std::as_const(*original.with.ctes[i].statement).as<tree::Select>();
      if (inner == nullptr || before == nullptr) {
        refuse_clause("a writing WITH", "its rows are on several shards", "Write one statement each.");
      }
      follow(*before, *inner, *block.ctes[i]);
    }
    if (copy.left) {
      follow(*original.left, *copy.left, *block.left);
      follow(*original.right, *copy.right, *block.right);
    }
    follow_subqueries(original, copy, block);
    each_copied_item(original, copy, [&](const tree::FromItem& was, tree::FromPtr& item) {
      auto* derived = item->as<tree::SubqueryRef>();
      if (derived == nullptr) return;
      follow(*was.as<tree::SubqueryRef>()->query, *derived->query, *query_.at(block.of_item.at(&was)).block);
    });
    visit_(original, copy, block);
  }

 private:
  void follow_subqueries(const tree::Select& original, tree::Select& copy, const Block& block) const {
    const std::vector<const tree::Select*> before = subqueries_of(original);
    const std::vector<tree::Select*> after = subqueries_of(copy);
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (left_out_.contains(before[i])) continue;
      const auto inner = block.subqueries.find(before[i]);
      if (inner == block.subqueries.end()) {
        refuse_clause("a subquery", "it stands where it cannot be followed", "Write it into WITH.");
      }
      follow(*before[i], *after[i], *inner->second);
    }
  }

  const Query& query_;
  const std::set<const tree::Select*>& left_out_;
  const CopiedBlock& visit_;
};

}  // namespace

void each_copied_block(const Query& query, const tree::Select& original, tree::Select& copy, const Block& block,
                       const std::set<const tree::Select*>& left_out, const CopiedBlock& visit) {
  Following(query, left_out, visit).follow(original, copy, block);
}

void each_copied_item(const tree::Select& original, tree::Select& copy,
                      const std::function<void(const tree::FromItem& original, tree::FromPtr& copy)>& visit) {
  std::vector<const tree::FromItem*> items;
  tree::for_each_from(original, [&](const tree::FromItem& item) { items.push_back(&item); });
  auto was = items.begin();
  tree::for_each_from(copy, [&](tree::FromPtr& item) { visit(**was++, item); });
}

}  // namespace anabranch::rewriter
