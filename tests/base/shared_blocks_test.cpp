// Blocks that several payloads have in common, in files that come beside the frames.
#include "base/shared_blocks.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/frame.h"
#include "base/frame_reader.h"
#include "tests/base/memory_file.h"
#include "tests/catch.h"

using namespace tenkai;

namespace {

int same_file(int descriptor) { return ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0); }

std::shared_ptr<const Bytes> file_with(std::string_view content) {
  auto file = std::make_shared<Bytes>(Bytes::of_file(memory_file(content)));
  REQUIRE(file->claim(content.size()));
  return file;
}

Payload sharing(std::string_view own, std::vector<SharedBlock> blocks) {
  return std::make_shared<const Bytes>(Bytes::with_blocks(make_payload(own), std::move(blocks)));
}

std::string pages(char first, char second) { return std::string(4096, first) + std::string(4096, second); }

// A task with the payload "own" and a block in a file of two pages.
std::string frame_with(const BlockList& list, std::string_view own = "own") {
  Frame frame(Type::task);
  frame.payload = make_payload(own);
  return encode_head(frame.with(Key::blocks, list.bytes())) + std::string(own);
}

}  // namespace

TEST_CASE("between machines shared blocks lie behind the payload, each at a page") {
  auto file = file_with(pages('a', 'b'));
  Payload payload = sharing("own", {{file, 4096, 10}, {file, 0, 4096}});

  Payload whole = with_blocks_behind(payload);
  std::string_view bytes = view_of(whole);

  CHECK(size_of(payload) == 3);
  CHECK(view_of(payload) == "own");
  CHECK(size_with_files(payload) == 3 + 8192);
  REQUIRE(size_with_blocks(payload) == 8192 + 4096);
  REQUIRE(bytes.size() == 8192 + 4096);
  CHECK(bytes.substr(0, 3) == "own");
  CHECK(bytes.substr(3, 4093) == std::string(4093, '\0'));
  CHECK(bytes.substr(4096, 10) == std::string(10, 'b'));
  CHECK(bytes.substr(8192) == std::string(4096, 'a'));
}

TEST_CASE("a list of shared blocks is read as it was written") {
  auto one = file_with(pages('a', 'b'));
  auto other = file_with(pages('c', 'd'));

  BlockList list = BlockList::of({{other, 0, 5000}, {one, 4096, 4096}, {other, 4096, 1}});
  std::optional<BlockList> read = BlockList::in(list.bytes());

  REQUIRE(read);
  CHECK(read->files == std::vector<std::uint64_t>{8192, 8192});
  REQUIRE(read->blocks.size() == 3);
  CHECK(read->blocks[1].file == 1);
  CHECK(read->blocks[2].begin == 4096);
  CHECK(read->blocks[2].size == 1);
}

TEST_CASE("a list with blocks that do not lie in their files is refused") {
  using Places = std::vector<BlockList::Place>;
  auto is_good = [](std::vector<std::uint64_t> files, Places blocks) {
    return BlockList::in(BlockList{std::move(files), std::move(blocks)}.bytes()).has_value();
  };
  REQUIRE(is_good({8192}, {{0, 4096, 4096}}));
  CHECK_FALSE(is_good({8192}, {}));
  CHECK_FALSE(is_good({}, {{0, 0, 1}}));
  CHECK_FALSE(is_good({8192, 1, 1, 1}, {{0, 0, 1}}));
  CHECK_FALSE(is_good({8192}, {{1, 0, 1}}));
  CHECK_FALSE(is_good({8192}, {{0, 1, 1}}));
  CHECK_FALSE(is_good({8192}, {{0, 0, 0}}));
  CHECK_FALSE(is_good({8192}, {{0, 4096, 4097}}));
  CHECK_FALSE(is_good({8192}, {{0, 12288, 1}}));
  CHECK_FALSE(is_good({8192}, {{0, 4096, UINT64_MAX}}));
  CHECK_FALSE(is_good({8192}, {{0, UINT64_MAX - 4095, 4096}}));
  CHECK_FALSE(is_good({8192}, Places(257, {0, 0, 1})));
  std::string cut = BlockList{{8192}, {{0, 0, 1}}}.bytes();
  for (std::size_t size = 0; size < cut.size(); ++size) CHECK_FALSE(BlockList::in(cut.substr(0, size)));
}

TEST_CASE("the files of shared blocks come beside the frame, behind that of the payload") {
  Reading reading;
  reading.reader.push_descriptor(memory_file(pages('a', 'b')));
  Frame second(Type::task);
  auto own = file_with("whole");
  second.payload = own;
  second.with(Key::blocks, BlockList{{8192}, {{0, 0, 4096}}}.bytes());

  REQUIRE(reading.feed(frame_with({{8192}, {{0, 4096, 7}}})));
  reading.reader.push_descriptor(memory_file("whole"));
  reading.reader.push_descriptor(memory_file(pages('c', 'd')));
  REQUIRE(reading.feed(encode_head(second, in_file)));

  REQUIRE(reading.frames.size() == 2);
  CHECK(view_of(with_blocks_behind(reading.frames[0].payload)).substr(4096) == "bbbbbbb");
  CHECK(view_of(reading.frames[1].payload) == "whole");
  CHECK(file_of(reading.frames[1].payload) >= 0);
  CHECK(view_of(with_blocks_behind(reading.frames[1].payload)).substr(4096) == std::string(4096, 'c'));
}

TEST_CASE("a file that comes again is the same, and held once, while it is in use") {
  Reading reading;
  int first = memory_file(pages('a', 'b'));
  int second = same_file(first), third = same_file(first);
  Frame whole(Type::task);
  whole.payload = file_with(pages('a', 'b'));
  std::string sharing = frame_with({{8192}, {{0, 0, 4096}}});

  reading.reader.push_descriptor(first);
  REQUIRE(reading.feed(encode_head(whole, in_file)));
  reading.reader.push_descriptor(second);
  REQUIRE(reading.feed(sharing));

  REQUIRE(reading.frames.size() == 2);
  CHECK(reading.frames[1].payload->blocks()[0].file == reading.frames[0].payload);
  CHECK_FALSE(is_open(second));
  reading.frames.clear();
  CHECK_FALSE(is_open(first));
  reading.reader.push_descriptor(third);
  REQUIRE(reading.feed(sharing));
  CHECK(is_open(third));
}

TEST_CASE("shared blocks whose file did not come, or is another, are refused") {
  std::string frame = frame_with({{8192}, {{0, 0, 4096}}});
  Reading without;
  CHECK_FALSE(without.feed(frame));
  CHECK(without.reader.error() == "a frame names a file that did not come with it");

  Reading other;
  other.reader.push_descriptor(memory_file("another"));
  CHECK_FALSE(other.feed(frame));
  CHECK(other.reader.error() == "a passed file is not what its frame says");

  Reading outside;
  outside.reader.push_descriptor(memory_file(pages('a', 'b')));
  CHECK_FALSE(outside.feed(frame_with({{8192}, {{0, 8192, 1}}})));
  CHECK(outside.reader.error() == "a frame has shared blocks that do not lie in their files");
}

TEST_CASE("shared blocks belong to a payload that is not in segments, and are within the limit") {
  Frame empty(Type::task);
  empty.with(Key::blocks, BlockList{{8192}, {{0, 0, 1}}}.bytes());
  Reading nothing;
  nothing.reader.push_descriptor(memory_file(pages('a', 'b')));
  CHECK_FALSE(nothing.feed(encode_head(empty)));

  empty.stream = 1;
  empty.announced = 10;
  Reading segments;
  segments.reader.push_descriptor(memory_file(pages('a', 'b')));
  CHECK_FALSE(segments.feed(encode_head(empty)));

  Reading large;
  large.reader.push_descriptor(memory_file(pages('a', 'b')));
  CHECK_FALSE(large.feed(frame_with({{plenty}, {{0, 0, 1}}})));
  CHECK(large.reader.error() == "the files of shared blocks are over the limit");
}
