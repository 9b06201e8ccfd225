#include "router/strategies.h"

namespace anabranch::router {
namespace {

class Buckets final : public Strategy {
 public:
  explicit Buckets(std::vector<std::uint32_t> shards) : shards_(std::move(shards)) {}

  bool hashes() const override { return true; }

  std::optional<Placement> place(std::uint64_t f1, const KeyValue&) const override {
    const std::size_t bucket = f1 % shards_.size();
    return Placement{static_cast<std::int32_t>(bucket), shards_[bucket]};
  }

 private:
  std::vector<std::uint32_t> shards_;  // of each bucket
};

}  // namespace

std::unique_ptr<const Strategy> make_buckets(std::vector<std::uint32_t> bucket_shards) {
  return std::make_unique<Buckets>(std::move(bucket_shards));
}

}  // namespace anabranch::router
