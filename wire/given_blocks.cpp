#include "wire/given_blocks.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

namespace tenkai {

std::optional<std::vector<GivenBlocks::Given>> GivenBlocks::give(const std::vector<SharedBlock>& blocks) {
  if (size_of(blocks) > limit_) return std::nullopt;
  forget_unused();
  for (const SharedBlock& block : blocks) {
    auto known = find(block);
    if (known != blocks_.end()) blocks_.splice(blocks_.begin(), blocks_, known);
  }
  // From the end on they are of other payloads, and those of this one fit together.
  std::vector<Given> given;
  for (const SharedBlock& block : blocks) {
    auto known = find(block);
    bool is_new = known == blocks_.end();
    if (is_new) {
      while (size_ + block.size > limit_) forget(std::prev(blocks_.end()));
      blocks_.push_front({++last_number_, block.file, block.begin, block.size});
      size_ += block.size;
      known = blocks_.begin();
    }
    given.push_back({known->number, is_new});
  }
  return given;
}

std::vector<std::uint64_t> GivenBlocks::take_forgotten() { return std::exchange(forgotten_, {}); }

// The blocks of one payload, in which the same one may be more than once.
std::uint64_t GivenBlocks::size_of(const std::vector<SharedBlock>& blocks) {
  std::set<std::tuple<const Bytes*, std::uint64_t, std::uint64_t>> counted;
  std::uint64_t size = 0;
  for (const SharedBlock& block : blocks) {
    if (counted.insert({block.file.get(), block.begin, block.size}).second) size += block.size;
  }
  return size;
}

GivenBlocks::Blocks::iterator GivenBlocks::find(const SharedBlock& block) {
  return std::find_if(blocks_.begin(), blocks_.end(), [&](const Block& each) {
    return each.begin == block.begin && each.size == block.size && each.file.lock() == block.file;
  });
}

// Nobody asks for those again whose file is gone.
void GivenBlocks::forget_unused() {
  for (auto at = blocks_.begin(); at != blocks_.end();) {
    auto next = std::next(at);
    if (at->file.expired()) forget(at);
    at = next;
  }
}

void GivenBlocks::forget(Blocks::iterator block) {
  forgotten_.push_back(block->number);
  size_ -= block->size;
  blocks_.erase(block);
}

}  // namespace tenkai
