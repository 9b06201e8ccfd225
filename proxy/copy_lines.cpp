#include "proxy/copy_lines.h"

namespace anabranch::proxy {

namespace {

void put(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7U) out += static_cast<char>(number | 0x80U);
  out += static_cast<char>(number);
}

std::uint64_t get(const std::string& in, std::size_t& at) {
  std::uint64_t number = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(in[at++]);
    number |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return number;
  }
}

}  // namespace

void CopyLines::add(std::uint64_t client_line, std::uint32_t lines, std::size_t bytes) {
  if (blocks_.empty() || blocks_.back().rows == rows_a_block) {
    // Two bytes a row are room for most; a block that needs more is rare and soon gone.
    charge_.grow(sizeof(Block) + 2 * rows_a_block);
    Block& fresh = blocks_.emplace_back();
    fresh.shard_line = shard_line_;
    fresh.client_line = client_line_;
    fresh.gaps.reserve(2 * rows_a_block);
  }
  Block& block = blocks_.back();
  // The lowest bit says whether the row's own lines follow: most rows are one line.
  put(block.gaps, (client_line - client_line_) << 1U | (lines == 1 ? 0U : 1U));
  if (lines != 1) put(block.gaps, lines);
  ++block.rows;
  block.bytes += bytes;
  bytes_ += bytes;
  shard_line_ += lines;
  client_line_ = client_line;
  while (bytes_ - blocks_.front().bytes > bytes_kept) {
    bytes_ -= blocks_.front().bytes;
    blocks_.pop_front();
    charge_.shrink(sizeof(Block) + 2 * rows_a_block);
  }
}

std::optional<std::uint64_t> CopyLines::client_line(std::uint64_t shard_line) const {
  if (blocks_.empty() || shard_line > shard_line_ || shard_line <= blocks_.front().shard_line) return std::nullopt;
  auto block = blocks_.begin();
  while (block + 1 != blocks_.end() && (block + 1)->shard_line < shard_line) ++block;
  std::uint64_t at_shard = block->shard_line;
  std::uint64_t at_client = block->client_line;
  std::size_t at = 0;
  while (at_shard < shard_line && at < block->gaps.size()) {
    const std::uint64_t gap = get(block->gaps, at);
    at_client += gap >> 1U;
    at_shard += (gap & 1U) != 0 ? get(block->gaps, at) : 1;
  }
  return at_client - (at_shard - shard_line);
}

}  // namespace anabranch::proxy
