// Streams of random numbers for what is about to be submitted. Where it is not, because it
// cannot be serialized or does not fit, the next task has them: its numbers do not depend on
// what was tried before it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/random_stream.h"
#include "link.h"

namespace tenkai {

class TakenStreams {
 public:
  TakenStreams(Link& link, std::uint64_t count)
      : link_(link), first_(link.take_streams(count)), next_(link.stream_of_tasks()) {}
  // Others may have been taken since, by a hook that submits something.
  ~TakenStreams() {
    if (first_ && !used_ && link_.stream_of_tasks() == next_) link_.seed_tasks(*first_);
  }
  TakenStreams(const TakenStreams&) = delete;

  // Nothing where tasks have none.
  const std::optional<RandomStream>& first() const { return first_; }
  void use() { used_ = true; }

 private:
  Link& link_;
  std::optional<RandomStream> first_;
  std::optional<RandomStream> next_;
  bool used_ = false;
};

}  // namespace tenkai
