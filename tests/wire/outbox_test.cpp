#include "wire/outbox.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/frame_reader.h"
#include "tests/catch.h"
#include "wire/assembler.h"

using namespace tenkai;

namespace {

Frame frame_of(Type type, std::uint64_t task, std::string_view payload) {
  Frame frame(type);
  frame.task = task;
  frame.payload = make_payload(payload);
  return frame;
}

std::string bytes_of(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / 251);
  return bytes;
}

// Writes `at_most` bytes, as a socket would that takes no more.
std::string write(Outbox& outbox, std::size_t at_most) {
  iovec pieces[8];
  PassedFiles files;
  std::size_t count = outbox.gather(pieces, 8, at_most, files);
  std::string written;
  for (std::size_t i = 0; i < count; ++i)
    written.append(static_cast<char*>(pieces[i].iov_base), pieces[i].iov_len);
  written.resize(std::min(written.size(), at_most));
  outbox.consumed(written.size());
  return written;
}

// What arrives at the other end, and in which order.
std::vector<Frame> arrive(const std::string& bytes) {
  FrameReader reader(max_payload);
  Assembler assembler;
  std::vector<Frame> frames;
  REQUIRE(reader.feed(bytes, [&](Frame&& frame) {
    Result<std::optional<Frame>> whole = assembler.take(std::move(frame));
    REQUIRE(whole);
    if (*whole) frames.push_back(std::move(**whole));
  }));
  CHECK(reader.at_rest());
  CHECK(assembler.open() == 0);
  return frames;
}

std::string drain(Outbox& outbox, std::size_t at_a_time) {
  std::string all;
  while (!outbox.empty()) all += write(outbox, at_a_time);
  return all;
}

}  // namespace

TEST_CASE("frames leave an outbox whole and in order, however little is taken at a time") {
  std::size_t at_a_time = GENERATE(1, 7, 48, 1000, 1 << 20);
  Outbox outbox(GENERATE(false, true));
  for (std::uint64_t i = 1; i <= 5; ++i) outbox.push(frame_of(Type::submit, i, bytes_of(i * 100)));

  std::vector<Frame> frames = arrive(drain(outbox, at_a_time));

  REQUIRE(frames.size() == 5);
  for (std::uint64_t i = 1; i <= 5; ++i) {
    CHECK(frames[i - 1].task == i);
    CHECK(view_of(frames[i - 1].payload) == bytes_of(i * 100));
  }
  CHECK(outbox.waiting() == 0);
}

TEST_CASE("between machines a small frame overtakes a large payload") {
  Outbox outbox(true);
  outbox.push(frame_of(Type::task, 1, bytes_of(5 * segment_size + 3)));
  std::string written = write(outbox, segment_size);

  outbox.push(frame_of(Type::cancel, 2, ""));
  written += drain(outbox, 64 * 1024);

  std::vector<Frame> frames = arrive(written);
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].type == Type::cancel);
  CHECK(frames[1].task == 1);
  CHECK((view_of(frames[1].payload) == bytes_of(5 * segment_size + 3)));
}

TEST_CASE("two large payloads travel side by side and arrive whole") {
  Outbox outbox(true);
  outbox.push(frame_of(Type::task, 1, bytes_of(3 * segment_size)));
  outbox.push(frame_of(Type::task, 2, bytes_of(segment_size + 1)));

  std::vector<Frame> frames = arrive(drain(outbox, 100000));

  REQUIRE(frames.size() == 2);
  CHECK(frames[0].task == 2);
  CHECK((view_of(frames[1].payload) == bytes_of(3 * segment_size)));
}

TEST_CASE("segments that lie are refused") {
  Frame head(Type::task);
  head.stream = 1;
  head.announced = 10;
  Frame segment = frame_of(Type::segment, 0, "12345678901");
  segment.stream = 1;
  Assembler assembler(100);

  SECTION("one that belongs to no stream") { CHECK(!assembler.take(segment)); }
  SECTION("one that is longer than what was announced") {
    REQUIRE(assembler.take(head));
    CHECK(!assembler.take(segment));
  }
  SECTION("a stream that is opened twice") {
    REQUIRE(assembler.take(head));
    CHECK(!assembler.take(head));
  }
  SECTION("more than the budget, in one or in many") {
    head.announced = 101;
    CHECK(!assembler.take(head));
    head.announced = 60;
    REQUIRE(assembler.take(head));
    head.stream = 2;
    CHECK(!assembler.take(head));
  }
  SECTION("a stream of nothing") {
    head.announced = 0;
    CHECK(!assembler.take(head));
  }
  SECTION("too many streams at once") {
    Assembler roomy;
    head.announced = 1;
    for (std::uint32_t i = 1; i <= Assembler::max_streams; ++i) {
      head.stream = i;
      REQUIRE(roomy.take(head));
    }
    head.stream = Assembler::max_streams + 1;
    CHECK(!roomy.take(head));
  }
}

TEST_CASE("a file that the kernel does not carry goes out behind its head") {
  int file = ::memfd_create("payload", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  REQUIRE(::write(file, "content", 7) == 7);
  REQUIRE(::fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0);
  auto payload = std::make_shared<Bytes>(Bytes::of_file(file));
  REQUIRE(payload->claim(7));
  REQUIRE(payload->file() == file);
  Frame frame(Type::task);
  frame.payload = payload;
  Outbox outbox(false);
  outbox.push(frame);
  iovec pieces[8];
  PassedFiles named;
  REQUIRE(outbox.gather(pieces, 8, 1000, named) == 1);
  REQUIRE(named.count == 1);
  REQUIRE(named.descriptors[0] == file);

  outbox.put_files_in_line();

  REQUIRE(outbox.gather(pieces, 8, 1000, named) == 2);
  CHECK(named.count == 0);
  std::string bytes;
  for (int i = 0; i < 2; ++i) bytes.append(static_cast<char*>(pieces[i].iov_base), pieces[i].iov_len);
  CHECK(outbox.waiting() == bytes.size());
  std::string received;
  CHECK(FrameReader().feed(bytes, [&](Frame&& whole) { received = view_of(whole.payload); }));
  CHECK(received == "content");
  outbox.consumed(bytes.size());
  CHECK(outbox.empty());
}

namespace {

std::shared_ptr<const Bytes> file_with(std::string_view content) {
  int file = ::memfd_create("payload", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  REQUIRE(::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  REQUIRE(::fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0);
  auto bytes = std::make_shared<Bytes>(Bytes::of_file(file));
  REQUIRE(bytes->claim(content.size()));
  return bytes;
}

Frame frame_sharing(std::string_view own, const std::shared_ptr<const Bytes>& file) {
  Frame frame(Type::task);
  frame.payload = std::make_shared<const Bytes>(
      Bytes::with_blocks(make_payload(own), {{file, 0, file->size()}, {file, 0, 4096}}));
  return frame;
}

}  // namespace

TEST_CASE("the files of shared blocks go out with the head, each once") {
  auto file = file_with(std::string(8192, 'f'));
  Outbox outbox(false);
  outbox.push(frame_sharing("own", file));
  outbox.push(frame_of(Type::task, 2, "next"));
  iovec pieces[8];
  PassedFiles named;

  REQUIRE(outbox.gather(pieces, 8, 1000, named) == 2);

  REQUIRE(named.count == 1);
  CHECK(named.descriptors[0] == file->file());
  std::string bytes = write(outbox, 1000);
  FrameReader reader(max_payload);
  reader.push_descriptor(::dup(file->file()));
  std::vector<Frame> frames;
  REQUIRE(reader.feed(bytes, [&](Frame&& frame) { frames.push_back(std::move(frame)); }));
  REQUIRE(frames.size() == 1);
  CHECK(view_of(frames[0].payload) == "own");
  REQUIRE(frames[0].payload->blocks().size() == 2);
  CHECK(frames[0].payload->blocks()[1].size == 4096);
}

TEST_CASE("shared blocks whose file the kernel does not carry go out behind their payload") {
  Outbox outbox(false);
  outbox.push(frame_sharing("own", file_with(std::string(8192, 'f'))));
  iovec pieces[8];
  PassedFiles named;
  REQUIRE(outbox.gather(pieces, 8, 1000, named) == 2);

  outbox.put_files_in_line();

  std::uint64_t waiting = outbox.waiting();
  std::string bytes = write(outbox, 1'000'000);
  CHECK(waiting == bytes.size());
  std::vector<Frame> frames = arrive(bytes);
  REQUIRE(frames.size() == 1);
  CHECK(view_of(frames[0].payload) ==
        view_of(with_blocks_behind(frame_sharing("own", file_with(std::string(8192, 'f'))).payload)));
  CHECK(outbox.empty());
}

TEST_CASE("between machines shared blocks follow their payload, in segments") {
  std::string content = bytes_of(5 * segment_size / 2);
  auto file = file_with(content);
  Frame frame(Type::task);
  frame.payload = std::make_shared<const Bytes>(
      Bytes::with_blocks(make_payload("own"), {{file, 0, content.size()}, {file, 4096, 100}}));
  Payload kept = with_blocks_behind(frame.payload);
  Outbox outbox(true);
  outbox.push(frame);
  outbox.push(frame_sharing("small", file_with(std::string(4096, 'f'))));
  std::uint64_t waiting = outbox.waiting();

  std::string bytes;
  while (!outbox.empty()) bytes += write(outbox, 100'000);

  CHECK(bytes.size() > content.size());
  CHECK(waiting <= bytes.size());
  std::vector<Frame> frames = arrive(bytes);
  REQUIRE(frames.size() == 2);
  CHECK(size_of(frames[0].payload) == 8192 + 4096);
  CHECK(view_of(frames[1].payload) == view_of(kept));
}
