#include "net/mysql/framing.h"

#include <doctest/doctest.h>

#include <string>

#include "net/mysql/fields.h"

using namespace anabranch::net;
using namespace anabranch::net::mysql;

namespace {

std::string bytes(const char* text, std::size_t size) {
  return {text, size};
}

/// A packet of `size` bytes that differ from place to place.
std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + (i >> 16));
  return text;
}

}  // namespace

TEST_CASE("frames are cut whole, and their length is checked before they are there") {
  const std::string ping = bytes("\1\0\0\0\16", 5);
  for (std::size_t size = 0; size < ping.size(); ++size) {
    const auto cut = cut_frame(std::string_view(ping).substr(0, size));
    REQUIRE(cut.has_value());
    CHECK_FALSE(cut->frame.has_value());
    CHECK(cut->needed == (size < 4 ? 4 : 5));
  }
  const auto cut = cut_frame(ping + "more");
  CHECK(cut->frame->raw == ping);
  CHECK(cut->frame->payload == "\16");
  CHECK(cut->frame->sequence == 0);
  CHECK(cut_frame(bytes("\0\0\0\7", 4))->frame->payload.empty());
  CHECK(cut_frame(bytes("\0\1\0\0", 4), 256).has_value());
  const auto refused = cut_frame(bytes("\1\1\0\0", 4), 256);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == error_code::packet_too_large);
}

TEST_CASE("numbers are counted, wrap, and must agree") {
  Sequence sequence(254);
  Buffer out;
  for (int i = 0; i < 4; ++i) PacketWriter(out, sequence).bytes("x");
  Sequence expected(254);
  std::string_view left = out.view();
  for (const int number : {254, 255, 0, 1}) {
    const Frame frame = *cut_frame(left)->frame;
    CHECK(frame.sequence == number);
    CHECK(expected.accept(frame).has_value());
    left.remove_prefix(frame.raw.size());
  }
  const auto refused = expected.accept(*cut_frame(out.view())->frame);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == error_code::out_of_order);
}

TEST_CASE("packets are split at 16 MiB and joined again") {
  for (const std::size_t size : {max_frame_bytes - 1, max_frame_bytes, max_frame_bytes + 1,
                                 2 * max_frame_bytes, 2 * max_frame_bytes + 5}) {
    CAPTURE(size);
    const std::string payload = pattern(size);
    Buffer out;
    Sequence sequence(3);
    {
      PacketWriter(out, sequence).bytes(payload);
    }
    const std::size_t frames = size / max_frame_bytes + 1;
    CHECK(out.size() == size + frames * header_bytes);
    CHECK(sequence.next() == 3 + frames);
    const auto cut = cut_packet(out.view());
    REQUIRE(cut.has_value());
    REQUIRE(cut->packet.has_value());
    CHECK(cut->packet->sequence == 3);
    CHECK(cut->packet->frames() == frames);
    Buffer scratch;
    const bool same = cut->packet->payload(scratch) == payload;  // not printed where it fails
    CHECK(same);
    CHECK(scratch.empty() == cut->packet->in_place());
    Sequence expected(3);
    CHECK(expected.accept(*cut->packet).has_value());
    CHECK(expected.next() == sequence.next());
  }
}

TEST_CASE("a packet in the making tells how much it needs, and is bounded") {
  Buffer out;
  Sequence sequence;
  {
    PacketWriter(out, sequence).bytes(pattern(max_frame_bytes + 10));
  }
  const std::string_view raw = out.view();
  const std::size_t second = header_bytes + max_frame_bytes;
  CHECK(cut_packet(raw.substr(0, 3))->needed == 4);
  CHECK(cut_packet(raw.substr(0, 100))->needed == second);
  CHECK(cut_packet(raw.substr(0, second))->needed == second + header_bytes);
  CHECK(cut_packet(raw.substr(0, second + 4))->needed == raw.size());
  CHECK_FALSE(cut_packet(raw.substr(0, raw.size() - 1))->packet.has_value());
  // The second header alone tells that it will be too much.
  CHECK(cut_packet(raw.substr(0, second + 4), max_frame_bytes + 10).has_value());
  const auto too_large = cut_packet(raw.substr(0, second + 4), max_frame_bytes + 9);
  REQUIRE_FALSE(too_large.has_value());
  CHECK(too_large.error().code == error_code::packet_too_large);
  *out.at(second + 3) = 7;  // the second frame's number
  const auto out_of_order = cut_packet(out.view());
  REQUIRE_FALSE(out_of_order.has_value());
  CHECK(out_of_order.error().code == error_code::out_of_order);
}

TEST_CASE("a relay rewrites nothing but numbers") {
  Buffer from;
  Sequence theirs(7);
  for (const char* text : {"one", "", "three"}) PacketWriter(from, theirs).bytes(text);
  Buffer to;
  to.append("before");
  Sequence ours(254);
  append_renumbered(to, from.view(), ours);
  CHECK(to.view() == bytes("before\3\0\0\376one\0\0\0\377\5\0\0\0three", 6 + 3 * 4 + 8));
  CHECK(ours.next() == 1);
}

TEST_CASE("length-encoded integers") {
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{250}, std::uint64_t{251}, std::uint64_t{0xffff},
        std::uint64_t{0x10000}, std::uint64_t{0xff'ffff}, std::uint64_t{0x100'0000},
        ~std::uint64_t{0}}) {
    CAPTURE(value);
    Buffer out;
    Sequence sequence;
    {
      PacketWriter(out, sequence).lenenc(value);
    }
    const std::string payload(out.view().substr(header_bytes));
    CHECK(payload.size() == (value < 251          ? 1u
                             : value < 0x10000    ? 3u
                             : value < 0x100'0000 ? 4u
                                                  : 9u));
    FieldReader reader(payload);
    CHECK(reader.lenenc() == value);
    CHECK((reader.ok() && reader.at_end()));
    for (std::size_t size = 0; size < payload.size(); ++size) {
      const std::string cut = payload.substr(0, size);
      FieldReader short_reader(cut);
      short_reader.lenenc();
      CHECK_FALSE(short_reader.ok());
    }
  }
  for (const char* wrong : {"\373", "\377"}) {
    FieldReader reader(wrong);
    reader.lenenc();
    CHECK_FALSE(reader.ok());
  }
  const std::string longer_than_needed = bytes("\374\1\0", 3);
  CHECK(FieldReader(longer_than_needed).lenenc() == 1);
}

TEST_CASE("strings are bounded by the payload") {
  const std::string huge = bytes("\376\377\377\377\377\377\377\377\377abc", 12);
  FieldReader reader(huge);
  CHECK(reader.lenenc_string().empty());
  CHECK_FALSE(reader.ok());
  FieldReader null_field("\373x");
  CHECK_FALSE(null_field.field().has_value());
  CHECK(null_field.ok());
  CHECK(null_field.left() == 1);
  FieldReader null_string("\373x");
  null_string.lenenc_string();
  CHECK_FALSE(null_string.ok());
  FieldReader open("no end");
  open.string();
  CHECK_FALSE(open.ok());
  FieldReader last("no end");
  CHECK(last.last_string() == "no end");
  CHECK(last.ok());
}
