#include "wire/kept_blocks.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "base/shared_blocks.h"

namespace tenkai {
namespace {

// What Key::kept says: a list of blocks, and the numbers of their files.
struct Kept {
  BlockList list;
  std::vector<std::uint64_t> numbers;
};

// Nothing where it says no such thing.
std::optional<Kept> kept_in(std::string_view bytes) {
  if (bytes.size() < 8) return std::nullopt;
  const char* at = bytes.data();
  auto count = detail::take<std::uint64_t>(at);
  if (count > max_shared_files || bytes.size() < 8 * count) return std::nullopt;
  std::string_view numbers = bytes.substr(bytes.size() - static_cast<std::size_t>(8 * count));
  std::optional<BlockList> list = BlockList::in(bytes.substr(0, bytes.size() - numbers.size()));
  if (!list) return std::nullopt;
  Kept kept{std::move(*list), {}};
  at = numbers.data();
  for (std::uint64_t i = 0; i < count; ++i) kept.numbers.push_back(detail::take<std::uint64_t>(at));
  return kept;
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t put = ::write(file, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

// For the processes of this machine. The same bytes where there is no file to be had.
Payload in_memory_file(Payload payload) {
  int descriptor = ::memfd_create("tenkai", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (descriptor < 0) return payload;
  Bytes file = Bytes::of_file(descriptor);
  constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  bool is_good = descriptor < Bytes::end_of_files && write_all(descriptor, view_of(payload)) &&
                 ::fcntl(descriptor, F_ADD_SEALS, seals) == 0;
  if (!is_good) return payload;
  file.set_own_size(size_of(payload));
  return std::make_shared<const Bytes>(std::move(file));
}

}  // namespace

std::string encode_numbers(const std::vector<std::uint64_t>& numbers) {
  std::string bytes(8 * numbers.size(), '\0');
  char* at = bytes.data();
  for (std::uint64_t number : numbers) detail::put(at, number);
  return bytes;
}

Result<Done> KeptBlocks::on_announced(std::uint64_t number, std::uint64_t size) {
  if (size > limit_ - std::min(limit_, size_)) {
    return Error{"a shared block of " + std::to_string(size) + " bytes is more than may be kept, which is " +
                 std::to_string(limit_) + " bytes, " + std::to_string(size_) + " of them taken"};
  }
  if (blocks_.count(number) != 0 || coming_.count(number) != 0)
    return Error{"a shared block came twice under one number"};
  auto block = std::make_shared<Block>(Block{size, nullptr});
  blocks_[number] = block;
  coming_[number] = block;
  size_ += size;
  return Done{};
}

std::vector<Frame> KeptBlocks::on_block(std::uint64_t number, Payload payload) {
  auto found = coming_.extract(number);
  if (found.empty()) return {};
  found.mapped()->payload = in_memory_file(std::move(payload));
  std::vector<Frame> complete_now;
  std::vector<Waiting> waiting = std::exchange(waiting_, {});
  for (Waiting& each : waiting) {
    if (is_complete(each.blocks)) complete_now.push_back(complete(std::move(each)));
    else waiting_.push_back(std::move(each));
  }
  return complete_now;
}

Result<Done> KeptBlocks::on_forget(std::uint64_t number) {
  auto found = blocks_.extract(number);
  if (found.empty()) return Error{"a shared block was to be forgotten that is not here"};
  size_ -= found.mapped()->size;
  return Done{};
}

Result<std::optional<Frame>> KeptBlocks::on_frame(Frame frame) {
  std::optional<Kept> kept = kept_in(frame.text(Key::kept));
  if (!kept || size_of(frame.payload) == 0) return Error{"a frame names shared blocks in a wrong way"};
  Waiting named{std::move(frame), {}};
  for (std::size_t i = 0; i < kept->numbers.size(); ++i) {
    auto found = blocks_.find(kept->numbers[i]);
    if (found == blocks_.end() || found->second->size != kept->list.files[i])
      return Error{"a frame names a shared block that is not here"};
    named.blocks.push_back(found->second);
  }
  if (is_complete(named.blocks)) return std::optional<Frame>(complete(std::move(named)));
  if (waiting_.size() >= max_waiting) return Error{"too many frames wait for shared blocks"};
  waiting_.push_back(std::move(named));
  return std::optional<Frame>();
}

bool KeptBlocks::is_complete(const std::vector<BlockPtr>& blocks) {
  return std::all_of(blocks.begin(), blocks.end(),
                     [](const BlockPtr& block) { return block->payload != nullptr; });
}

Frame KeptBlocks::complete(Waiting waiting) {
  std::vector<SharedBlock> blocks;
  Kept kept = *kept_in(waiting.frame.text(Key::kept));
  for (const BlockList::Place& place : kept.list.blocks)
    blocks.push_back(
        {waiting.blocks[static_cast<std::size_t>(place.file)]->payload, place.begin, place.size});
  waiting.frame.forget(Key::kept);
  Payload own = std::move(waiting.frame.payload);
  waiting.frame.payload =
      std::make_shared<const Bytes>(Bytes::with_blocks(std::move(own), std::move(blocks)));
  return std::move(waiting.frame);
}

}  // namespace tenkai
