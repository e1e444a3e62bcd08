// The shared blocks that the other end of a connection has been given.
//
// Between machines a block that several payloads share goes to the other end once, under a number,
// and is named by it from then on. What the other end keeps is decided here: it has said how much
// that may be, and is told what to forget; what was used longest ago goes first. It knows nothing
// that has to be agreed on anew after a break: another connection begins with nothing.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"

namespace tenkai {

class GivenBlocks {
 public:
  // So many bytes, which are none at the beginning.
  void set_limit(std::uint64_t bytes) { limit_ = bytes; }

  struct Given {
    std::uint64_t number = 0;
    bool is_new = false;  // it has to be sent
  };
  // The numbers of the blocks of one payload, in their order. Nothing: they are too large together.
  std::optional<std::vector<Given>> give(const std::vector<SharedBlock>& blocks);
  // Numbers that the other end has to forget, before it is sent what is new.
  std::vector<std::uint64_t> take_forgotten();

  std::uint64_t size() const { return size_; }  // in bytes

 private:
  struct Block {
    std::uint64_t number = 0;
    std::weak_ptr<const Bytes> file;
    std::uint64_t begin = 0;
    std::uint64_t size = 0;
  };
  using Blocks = std::list<Block>;  // those used last in front

  static std::uint64_t size_of(const std::vector<SharedBlock>& blocks);
  Blocks::iterator find(const SharedBlock& block);
  void forget_unused();
  void forget(Blocks::iterator block);

  std::uint64_t limit_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t last_number_ = 0;
  Blocks blocks_;
  std::vector<std::uint64_t> forgotten_;
};

}  // namespace tenkai
