#include "base/frame_reader.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/catch.h"

using namespace tenkai;

namespace {

constexpr std::uint64_t plenty = 64 * 1024 * 1024;

std::string encode(const Frame& frame) { return encode_head(frame) + std::string(view_of(frame.payload)); }

struct Outcome {
  std::vector<Frame> frames;
  std::string error;
  bool at_rest = false;
};

Outcome read(std::string_view bytes, std::uint64_t limit = plenty, std::size_t piece = SIZE_MAX) {
  Outcome outcome;
  FrameReader reader(limit);
  bool going = true;
  while (!bytes.empty() && going) {
    std::string_view now = bytes.substr(0, piece);
    bytes.remove_prefix(now.size());
    going = reader.feed(now, [&](Frame&& frame) { outcome.frames.push_back(std::move(frame)); });
  }
  outcome.error = reader.error();
  outcome.at_rest = reader.at_rest();
  CHECK(going == outcome.error.empty());
  return outcome;
}

void check_equal(const Frame& one, const Frame& other) {
  CHECK(one.type == other.type);
  CHECK(one.session == other.session);
  CHECK(one.task == other.task);
  CHECK(one.attempt == other.attempt);
  CHECK(one.rank == other.rank);
  CHECK(one.stream == other.stream);
  CHECK(one.announced == other.announced);
  CHECK(one.attributes == other.attributes);
  CHECK((view_of(one.payload) == view_of(other.payload)));
}

Frame full_frame() {
  Frame frame(Type::submit);
  frame.session = 0x0123456789ABCDEF;
  frame.task = UINT64_MAX;
  frame.attempt = 7;
  frame.rank = 0x89ABCDEF;
  frame.with(Key::label, "a label").with(Key::timeout_ms, std::uint64_t{1} << 40).with(Key::message, "");
  frame.payload = make_payload(std::string_view("\0payload\xff", 9));
  return frame;
}

bool says(const std::string& message, std::string_view part) {
  return message.find(part) != std::string::npos;
}

// A frame whose header has other bytes at `offset`: docs/protocol.md has the table.
std::string with_bytes(std::string frame, std::size_t offset, std::string_view bytes) {
  return frame.replace(offset, bytes.size(), bytes);
}

std::string little_endian(std::uint64_t number, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(number >> (8 * i));
  return bytes;
}

}  // namespace

TEST_CASE("a frame that was written is read as it was") {
  Frame frame = full_frame();

  Outcome outcome = read(encode(frame));

  CHECK(outcome.error.empty());
  REQUIRE(outcome.frames.size() == 1);
  check_equal(outcome.frames[0], frame);
  CHECK(outcome.at_rest);
}

TEST_CASE("the header is the one of the protocol") {
  Frame frame(Type::submit);
  frame.session = 1;
  frame.task = 2;
  frame.attempt = 3;
  frame.rank = 4;
  frame.payload = make_payload("abc");
  frame.with(Key::label, "x");

  std::string head = encode_head(frame);

  CHECK(head.substr(0, 4) == std::string_view("\x54\x6b\x01\x06"));
  CHECK(head.substr(4, 4) == little_endian(5, 4));   // attributes
  CHECK(head.substr(8, 8) == little_endian(3, 8));   // payload
  CHECK(head.substr(16, 8) == little_endian(1, 8));  // session
  CHECK(head.substr(24, 8) == little_endian(2, 8));  // task
  CHECK(head.substr(32, 4) == little_endian(3, 4));  // attempt
  CHECK(head.substr(36, 4) == little_endian(4, 4));  // rank
  CHECK(head.substr(40, 4) == little_endian(0, 4));  // stream
  CHECK(head.substr(44, 4) == little_endian(0, 4));  // in line
  CHECK(head.substr(48) == std::string_view("\x0a\0\x01\0x", 5));
}

TEST_CASE("frames follow each other without a gap") {
  Frame small(Type::ping);
  Frame large = full_frame();

  Outcome outcome = read(encode(small) + encode(large) + encode(small) + encode(small));

  REQUIRE(outcome.frames.size() == 4);
  check_equal(outcome.frames[0], small);
  check_equal(outcome.frames[1], large);
  check_equal(outcome.frames[3], small);
}

TEST_CASE("frames come out the same wherever the bytes are cut") {
  Frame frame = full_frame();
  std::string bytes = encode(Frame(Type::ping)) + encode(frame) + encode(Frame(Type::pong));

  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    FrameReader reader(plenty);
    std::vector<Frame> frames;
    auto take = [&](Frame&& one) { frames.push_back(std::move(one)); };
    REQUIRE(reader.feed(std::string_view(bytes).substr(0, cut), take));
    REQUIRE(reader.feed(std::string_view(bytes).substr(cut), take));
    REQUIRE(frames.size() == 3);
    check_equal(frames[1], frame);
  }
  for (std::size_t piece = 1; piece < 60; ++piece) {
    Outcome outcome = read(bytes, plenty, piece);
    REQUIRE(outcome.frames.size() == 3);
    check_equal(outcome.frames[1], frame);
  }
}

TEST_CASE("the beginning of a frame is neither a frame nor an error nor rest") {
  std::string bytes = encode(full_frame());

  for (std::size_t size = 1; size < bytes.size(); ++size) {
    Outcome outcome = read(std::string_view(bytes).substr(0, size));
    REQUIRE(outcome.frames.empty());
    REQUIRE(outcome.error.empty());
    REQUIRE_FALSE(outcome.at_rest);
  }
}

TEST_CASE("a large payload is read into its final place") {
  std::string text(1'000'000, 'x');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 >> 3);
  Frame frame(Type::task);
  frame.payload = make_payload(text);
  std::string bytes = encode_head(frame);
  FrameReader reader(plenty);
  std::vector<Frame> frames;
  auto take = [&](Frame&& one) { frames.push_back(std::move(one)); };
  REQUIRE(reader.feed(bytes, take));

  FrameReader::Room room = reader.room();
  CHECK(room.size == text.size());
  std::memcpy(room.data, text.data(), room.size);
  REQUIRE(reader.commit(room.size, take));

  REQUIRE(frames.size() == 1);
  CHECK(static_cast<const void*>(frames[0].payload->data()) == room.data);
  CHECK((view_of(frames[0].payload) == text));
}

TEST_CASE("payloads of every size around the staging memory arrive whole") {
  for (std::size_t size : {1u, 131'023u, 131'024u, 131'071u, 131'072u, 131'073u, 262'144u, 300'000u}) {
    Frame frame(Type::finished);
    frame.payload = make_payload(std::string(size, 'p'));
    frame.with(Key::failed, 1);
    std::string bytes = encode(frame) + encode(Frame(Type::ping));

    for (std::size_t piece : {std::size_t{1000}, std::size_t{65'537}, bytes.size()}) {
      Outcome outcome = read(bytes, plenty, piece);
      REQUIRE(outcome.frames.size() == 2);
      check_equal(outcome.frames[0], frame);
      CHECK(outcome.at_rest);
    }
  }
}

TEST_CASE("many small frames in one read keep their order") {
  std::string bytes;
  for (std::uint64_t task = 0; task < 5000; ++task) {
    Frame frame(Type::cancel);
    frame.task = task;
    bytes += encode(frame);
  }

  Outcome outcome = read(bytes);

  REQUIRE(outcome.frames.size() == 5000);
  for (std::uint64_t task = 0; task < 5000; ++task) REQUIRE(outcome.frames[task].task == task);
}

TEST_CASE("a payload in segments is announced, and its segments are frames of their own") {
  Frame head(Type::task);
  head.stream = 9;
  head.announced = 3 * segment_size;
  std::string piece(segment_size, 's');

  Outcome outcome =
      read(encode(head) + encode_segment_head(9, 2, piece.size()) + piece + encode(Frame(Type::ping)));

  REQUIRE(outcome.frames.size() == 3);
  CHECK(outcome.frames[0].announced == 3 * segment_size);
  CHECK(outcome.frames[0].payload == nullptr);
  CHECK(outcome.frames[1].type == Type::segment);
  CHECK(outcome.frames[1].stream == 9);
  CHECK(outcome.frames[1].rank == 2);
  CHECK(size_of(outcome.frames[1].payload) == segment_size);
}

TEST_CASE("bytes that are not frames are refused after four of them") {
  CHECK(says(read("GET ").error, "not a tenkai frame"));
  CHECK(says(read(std::string(4, '\0')).error, "not a tenkai frame"));
  CHECK(says(read("SSH-2.0-OpenSSH_9.2\r\n").error, "not a tenkai frame"));
}

TEST_CASE("another version is refused, and both versions are named") {
  std::string bytes = with_bytes(encode(Frame(Type::hello)), 2, "\x02");

  CHECK(read(bytes.substr(0, 4)).error == "the other end speaks frame version 2, this one 1");
}

TEST_CASE("unknown types are refused") {
  std::string ping = encode(Frame(Type::ping));

  CHECK(says(read(with_bytes(ping, 3, std::string_view("\0", 1))).error, "unknown frame type 0"));
  CHECK(says(read(with_bytes(ping, 3, "\xff")).error, "unknown frame type 255"));
  for (int type : {22, 25, static_cast<int>(Type::last_type) + 1}) {
    std::string byte(1, static_cast<char>(type));
    CHECK(says(read(with_bytes(ping, 3, byte)).error, "unknown frame type " + std::to_string(type)));
  }
}

TEST_CASE("unknown kinds are refused") {
  auto left = [](std::uint64_t kind) { return encode(Frame(Type::left).with(Key::kind, kind)); };

  CHECK(read(left(4)).error.empty());
  CHECK(says(read(left(5)).error, "unknown kind 5"));
  CHECK(says(read(left(UINT64_MAX)).error, "unknown kind"));
  CHECK(read(encode(Frame(Type::hello).with(Key::kind, 5))).error.empty());
}

TEST_CASE("a payload at a place that does not exist is refused") {
  std::string ping = encode(Frame(Type::ping));

  CHECK(says(read(with_bytes(ping, 44, "\x02")).error, "a place that does not exist"));
  CHECK(says(read(with_bytes(ping, 47, "\x01")).error, "a place that does not exist"));
}

TEST_CASE("more attributes than the limit are refused before they come") {
  std::string bytes = with_bytes(encode(Frame(Type::ping)), 4, little_endian(max_attributes + 1, 4));

  CHECK(says(read(bytes).error, "65537 bytes of attributes, over the limit"));
}

TEST_CASE("a stranger may send a greeting and not a byte more") {
  std::string payload = encode(Frame(Type::hello));

  CHECK(says(read(with_bytes(payload, 8, little_endian(max_greeting + 1, 8)), max_greeting).error,
             "limit of 4096"));
  CHECK(says(read(with_bytes(payload, 4, little_endian(max_greeting + 1, 4)), max_greeting).error,
             "over the limit"));
  CHECK(read(with_bytes(payload, 8, little_endian(max_greeting, 8)), max_greeting).error.empty());
}

TEST_CASE("a stranger's largest greeting is read") {
  Frame frame(Type::hello);
  frame.with(Key::message, std::string(max_greeting - 4, 'm'));
  frame.payload = make_payload(std::string(max_greeting, 'p'));
  std::string bytes = encode(frame) + encode(frame) + encode(frame);

  for (std::size_t piece : {1u, 4095u, 100'000u}) {
    Outcome outcome = read(bytes, max_greeting, piece);
    REQUIRE(outcome.frames.size() == 3);
    check_equal(outcome.frames[2], frame);
  }
}

TEST_CASE("a payload beyond the limit is refused before memory is taken for it") {
  std::string ping = encode(Frame(Type::ping));

  CHECK(says(read(with_bytes(ping, 8, little_endian(UINT64_MAX, 8)), UINT64_MAX).error,
             "over the limit of 68719476736"));
  CHECK(
      says(read(with_bytes(ping, 8, little_endian(max_payload + 1, 8)), UINT64_MAX).error, "over the limit"));
  CHECK(says(read(with_bytes(ping, 8, little_endian(plenty + 1, 8))).error, "over the limit"));
}

TEST_CASE("an announcement beyond the limit is refused like a payload") {
  Frame frame(Type::task);
  frame.stream = 1;
  frame.announced = plenty + 1;

  CHECK(says(read(encode(frame)).error, "over the limit"));
}

TEST_CASE("a segment is at most a segment long and belongs to a stream") {
  CHECK(says(read(encode_segment_head(1, 0, segment_size + 1)).error, "over the limit of 1048576"));
  CHECK(says(read(encode_segment_head(0, 0, 10)).error, "belongs to no stream"));
}

TEST_CASE("attributes that do not fit their frame are refused") {
  Frame frame(Type::hello);
  frame.with(Key::label, "abc");
  std::string bytes = encode(frame);

  CHECK(says(read(with_bytes(bytes, 50, "\x04")).error, "longer than its frame"));
  CHECK(says(read(with_bytes(bytes, 50, "\xff\xff")).error, "longer than its frame"));
  CHECK(says(read(with_bytes(bytes, 50, "\x02")).error, "cut off"));
}

TEST_CASE("an attribute that nobody knows is stepped over") {
  Frame frame(Type::hello);
  frame.with(static_cast<Key>(60'000), "from the future").with(Key::label, "known");

  Outcome outcome = read(encode(frame));

  REQUIRE(outcome.frames.size() == 1);
  CHECK(outcome.frames[0].text(Key::label) == "known");
}

TEST_CASE("numbers are numbers, and anything else is what was asked for otherwise") {
  Frame frame(Type::hello);
  frame.with(Key::code, UINT64_MAX).with(Key::pid, "1234").with(Key::slot, "");

  CHECK(frame.number(Key::code) == UINT64_MAX);
  CHECK(frame.number(Key::pid) == 0);
  CHECK(frame.number(Key::slot, 7) == 7);
  CHECK(frame.number(Key::signal, 9) == 9);
  CHECK(frame.text(Key::signal).empty());
  CHECK(frame.find(Key::signal) == nullptr);
}

TEST_CASE("text for people that is too long is cut, and the frame is still one") {
  Frame frame(Type::left);
  frame.with(Key::exit_code, 1).with(Key::log_tail, std::string(100'000, 'x')).with(Key::message, "left out");

  Outcome outcome = read(encode(frame));

  REQUIRE(outcome.frames.size() == 1);
  CHECK(outcome.frames[0].number(Key::exit_code) == 1);
  CHECK(outcome.frames[0].text(Key::log_tail).size() == max_attributes - 12 - 4);
  CHECK(outcome.frames[0].find(Key::message) == nullptr);
}

TEST_CASE("the limit can be raised by the frame that makes a peer known") {
  Frame large(Type::submit);
  large.payload = make_payload(std::string(200'000, 'p'));
  large.with(Key::label, std::string(60'000, 'l'));
  std::string bytes = encode(Frame(Type::hello)) + encode(large);

  for (std::size_t piece : {std::size_t{60}, bytes.size()}) {
    FrameReader reader;
    std::vector<Frame> frames;
    std::string_view rest = bytes;
    while (!rest.empty()) {
      std::string_view now = rest.substr(0, piece);
      rest.remove_prefix(now.size());
      REQUIRE(reader.feed(now, [&](Frame&& frame) {
        reader.set_limit(plenty);
        frames.push_back(std::move(frame));
      }));
    }
    REQUIRE(frames.size() == 2);
    check_equal(frames[1], large);
  }
}

TEST_CASE("a stranger costs little memory, a known peer gets more") {
  FrameReader reader;
  CHECK(reader.room().size <= 16 * 1024);

  reader.set_limit(plenty);
  CHECK(reader.room().size >= 64 * 1024);
}

TEST_CASE("memory is given back between frames only") {
  Frame frame = full_frame();
  std::string bytes = encode(frame);
  FrameReader reader(plenty);
  std::vector<Frame> frames;
  auto take = [&](Frame&& one) { frames.push_back(std::move(one)); };

  REQUIRE(reader.feed(std::string_view(bytes).substr(0, 20), take));
  reader.shrink();
  REQUIRE(reader.feed(std::string_view(bytes).substr(20), take));
  reader.shrink();
  REQUIRE(reader.feed(bytes, take));

  REQUIRE(frames.size() == 2);
  check_equal(frames[0], frame);
  check_equal(frames[1], frame);
}
