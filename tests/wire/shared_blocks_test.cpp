// Blocks that several payloads share, over a connection between machines: each goes out once.

#include <sys/uio.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/frame.h"
#include "base/frame_reader.h"
#include "base/shared_blocks.h"
#include "tests/catch.h"
#include "wire/assembler.h"
#include "wire/given_blocks.h"
#include "wire/kept_blocks.h"
#include "wire/outbox.h"

using namespace tenkai;

namespace {

using File = std::shared_ptr<const Bytes>;

File file_of_size(std::size_t size, char content = 'f') { return make_payload(std::string(size, content)); }

Frame frame_sharing(std::uint64_t task, std::string_view own, std::vector<SharedBlock> blocks) {
  Frame frame(Type::task);
  frame.task = task;
  frame.payload = std::make_shared<const Bytes>(Bytes::with_blocks(make_payload(own), std::move(blocks)));
  return frame;
}

// Two ends of a connection.
struct Link {
  Outbox outbox{true};
  FrameReader reader{max_payload};
  Assembler assembler;
  std::vector<Frame> frames;
  std::string trouble;
  std::uint64_t carried = 0;

  explicit Link(std::uint64_t limit) {
    outbox.share_blocks(limit);
    assembler.keep_blocks(limit);
  }
  void take(Frame&& frame) {
    if (!Assembler::concerns(frame)) return frames.push_back(std::move(frame));
    Result<std::optional<Frame>> whole = assembler.take(std::move(frame));
    if (!whole) trouble = whole.error().message;
    if (whole && *whole) frames.push_back(std::move(**whole));
    for (Frame& each : assembler.take_completed()) frames.push_back(std::move(each));
  }
  // So many bytes, or all there are.
  void carry(std::size_t most = SIZE_MAX) {
    while (most > 0 && !outbox.empty()) {
      iovec pieces[8];
      PassedFiles files;
      std::size_t count = outbox.gather(pieces, 8, 1'000'000, files);
      REQUIRE(files.count == 0);
      std::string bytes;
      for (std::size_t i = 0; i < count; ++i)
        bytes.append(static_cast<char*>(pieces[i].iov_base), pieces[i].iov_len);
      bytes.resize(std::min(bytes.size(), most));
      most -= bytes.size();
      carried += bytes.size();
      REQUIRE(reader.feed(bytes, [this](Frame&& frame) { take(std::move(frame)); }));
      outbox.consumed(bytes.size());
    }
  }
};

// What Key::kept says of one block, of ten bytes, in each of these files.
std::string naming(const std::vector<std::uint64_t>& numbers, std::uint64_t size) {
  BlockList list;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    list.files.push_back(size);
    list.blocks.push_back({i, 0, 10});
  }
  return list.bytes() + encode_numbers(numbers);
}

std::string whole(const Frame& frame) { return std::string(view_of(with_blocks_behind(frame.payload))); }

}  // namespace

TEST_CASE("a block that payloads share goes to the other end once") {
  Link link(100'000'000);
  File file = file_of_size(3'000'000);
  Frame first = frame_sharing(1, "first", {{file, 0, 2'500'000}});
  Frame second = frame_sharing(2, "second", {{file, 0, 2'500'000}, {file, 4096, 100}});

  link.outbox.push(first);
  link.outbox.push(second);
  link.carry();
  link.outbox.push(first);
  link.carry();

  CHECK(link.trouble.empty());
  REQUIRE(link.frames.size() == 3);
  CHECK(whole(link.frames[0]) == whole(first));
  CHECK(whole(link.frames[1]) == whole(second));
  CHECK(whole(link.frames[2]) == whole(first));
  CHECK(link.frames[1].attributes.empty());
  CHECK(link.frames[0].payload->blocks()[0].file == link.frames[2].payload->blocks()[0].file);
  CHECK(file_of(link.frames[0].payload->blocks()[0].file) >= 0);
  CHECK(link.carried < 3'010'000);
}

TEST_CASE("a frame waits until its blocks are whole, and others pass it") {
  Link link(100'000'000);
  File file = file_of_size(3'000'000);
  link.outbox.push(frame_sharing(1, "first", {{file, 0, 3'000'000}}));
  link.outbox.push(Frame(Type::cancel));

  link.carry(1'500'000);
  REQUIRE(link.frames.size() == 1);
  CHECK(link.frames[0].type == Type::cancel);
  link.carry();

  REQUIRE(link.frames.size() == 2);
  CHECK(link.frames[1].task == 1);
}

TEST_CASE("what was used longest ago is forgotten where the other end may keep no more") {
  Link link(250);
  File files[] = {file_of_size(100, 'a'), file_of_size(100, 'b'), file_of_size(100, 'c')};
  for (int i : {0, 1, 0, 2, 0, 1}) link.outbox.push(frame_sharing(1, "own", {{files[i], 0, 100}}));

  link.carry();

  CHECK(link.trouble.empty());
  REQUIRE(link.frames.size() == 6);
  const char* expected = "abacab";
  for (std::size_t i = 0; i < 6; ++i) CHECK(whole(link.frames[i]).back() == expected[i]);
}

TEST_CASE("blocks that are too large to be kept stay behind their payload") {
  Link link(150);
  File file = file_of_size(200);
  Frame frame = frame_sharing(1, "own", {{file, 0, 100}, {file, 0, 60}});

  link.outbox.push(frame);
  link.carry();

  REQUIRE(link.frames.size() == 1);
  CHECK_FALSE(has_shared_blocks(link.frames[0].payload));
  CHECK(whole(link.frames[0]) == whole(frame));
}

TEST_CASE("nobody keeps blocks who has not said so") {
  KeptBlocks kept;
  CHECK_FALSE(kept.on_announced(1, 1));

  Assembler assembler;
  Frame block(Type::block);
  block.payload = make_payload("block");
  CHECK_FALSE(assembler.take(block.with(Key::number, 1)));
}

TEST_CASE("blocks that are announced twice, unknown, or named in a wrong way are refused") {
  KeptBlocks kept;
  kept.set_limit(100);
  Frame frame(Type::task);
  frame.payload = make_payload("own");
  auto is_good = [&](std::string_view kept_says) {
    Frame named = frame;
    return static_cast<bool>(kept.on_frame(named.with(Key::kept, kept_says)));
  };
  REQUIRE(kept.on_announced(1, 60));

  CHECK_FALSE(kept.on_announced(1, 10));
  CHECK_FALSE(kept.on_announced(2, 41));
  CHECK_FALSE(kept.on_forget(2));
  CHECK_FALSE(is_good(""));
  CHECK_FALSE(is_good("1234567"));
  CHECK_FALSE(is_good(naming({}, 60)));
  CHECK_FALSE(is_good(naming({2}, 60)));
  CHECK_FALSE(is_good(naming({1}, 61)));
  CHECK_FALSE(is_good(naming({1, 2}, 60)));
  CHECK_FALSE(is_good(naming({1, 1, 1, 1}, 60)));
  CHECK_FALSE(is_good(naming({1}, 60).substr(8)));
  CHECK_FALSE(is_good(naming({1}, 60) + "12345678"));
  Frame empty(Type::task);
  CHECK_FALSE(kept.on_frame(empty.with(Key::kept, naming({1}, 60))));
  CHECK(kept.on_block(7, make_payload("nobody's")).empty());
  REQUIRE(is_good(naming({1}, 60)));
  CHECK(kept.on_block(1, make_payload(std::string(60, 'x'))).size() == 1);
  CHECK(kept.on_forget(1));
  CHECK(kept.size() == 0);
}

TEST_CASE("frames that wait for blocks are not collected for ever") {
  KeptBlocks kept;
  kept.set_limit(100);
  REQUIRE(kept.on_announced(1, 10));
  Frame frame(Type::task);
  frame.payload = make_payload("own");
  frame.with(Key::kept, naming({1}, 10));
  for (std::size_t i = 0; i < KeptBlocks::max_waiting; ++i) REQUIRE(kept.on_frame(frame));
  CHECK_FALSE(kept.on_frame(frame));
}

TEST_CASE("whatever is shared, and however little is kept, each frame comes as it was sent") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    auto below = [&](std::uint64_t limit) { return random() % limit; };
    Link link(below(4) == 0 ? 0 : below(3'000'000));
    std::vector<File> files(4);
    std::vector<std::string> sent;
    for (int i = 0; i < 20; ++i) {
      std::vector<SharedBlock> blocks;
      for (std::uint64_t n = below(4); n > 0; --n) {
        File& file = files[below(files.size())];
        if (!file || below(5) == 0)
          file = file_of_size(8192 + below(4) * 500'000, static_cast<char>('a' + below(26)));
        blocks.push_back({file, 4096 * below(2), 1 + below(file->size() - 4096)});
      }
      Frame frame = frame_sharing(static_cast<std::uint64_t>(i), "own " + std::to_string(i), blocks);
      if (blocks.empty()) frame.payload = make_payload("own " + std::to_string(i));
      sent.push_back(whole(frame));
      link.outbox.push(std::move(frame));
      if (below(3) == 0) link.carry(below(700'000));
    }
    link.carry();

    REQUIRE(link.trouble.empty());
    REQUIRE(link.frames.size() == sent.size());
    for (const Frame& frame : link.frames) REQUIRE(whole(frame) == sent[frame.task]);
  }
}

TEST_CASE("what the elements of a map share is not passed by them") {
  Link link(100'000'000);
  File file = file_of_size(3'000'000);
  Frame map = frame_sharing(1, "own", {{file, 0, 3'000'000}});
  map.type = Type::map;
  Frame large(Type::map);
  large.payload = file;
  for (const Frame& each : {map, large}) {
    link.outbox.push(each);
    link.outbox.push(Frame(Type::task));
    link.carry();
  }

  REQUIRE(link.frames.size() == 4);
  CHECK(link.frames[0].type == Type::map);
  CHECK(whole(link.frames[0]) == whole(map));
  CHECK(link.frames[2].type == Type::map);
}
