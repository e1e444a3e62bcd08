// The answers to the elements of one map, as they come: several at a time, in any order.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "answer.h"
#include "base/frame.h"

namespace tenkai {

class MapAnswers {
 public:
  // For tasks `first` and the `count - 1` that follow.
  MapAnswers(std::uint64_t first, std::uint64_t count) : first_(first), count_(count), left_(count) {}

  bool has(std::uint64_t element) const { return element >= first_ && element - first_ < count_; }
  std::uint64_t first() const { return first_; }
  std::uint64_t count() const { return count_; }
  // How many have no answer.
  std::uint64_t left() const { return left_; }
  // The first element of those that are known to have failed.
  std::optional<std::uint64_t> first_failed() const { return first_failed_; }

  // Answers elements that have none; how many. A second answer to one is dropped.
  std::uint64_t on_resolved(Frame&& frame);
  std::uint64_t cancel(std::uint64_t from, std::uint64_t count);
  // The answer to one, where it is there. Throws std::bad_alloc.
  std::optional<Answer> answer_to(std::uint64_t element) const;
  bool is_answered(std::uint64_t element) const { return find(element) != answers_.end(); }
  // Forgets what has come, and keeps nothing that comes.
  void drop();

  // The bytes for which the dispatcher has memory until it has answered these elements, the
  // next ones that were not sent before.
  std::uint64_t on_sent(const std::vector<std::uint64_t>& sizes);
  // Those of elements that it has answered now.
  std::uint64_t on_freed(std::uint64_t from, std::uint64_t count);
  // Nothing more is sent, and nothing is on its way.
  bool is_over() const { return unanswered_ == 0 && (sent_.size() == count_ || left_ == 0); }

  // Bytes that the dispatcher keeps until it has answered all.
  std::uint64_t shared = 0;
  // How many objects of R refer to it.
  int users = 0;

 private:
  // Elements that have one answer: values in one parcel, or one code.
  struct Some {
    std::uint64_t count;
    std::uint64_t skip;  // values in the parcel before those
    std::shared_ptr<const Answer> answer;
  };
  using Answers = std::map<std::uint64_t, Some>;

  Answers::const_iterator find(std::uint64_t element) const;
  std::uint64_t fill(std::uint64_t from, std::uint64_t count, const std::shared_ptr<const Answer>& answer);

  std::uint64_t first_;
  std::uint64_t count_;
  std::uint64_t left_;
  std::optional<std::uint64_t> first_failed_;
  bool wanted_ = true;
  std::vector<std::uint64_t> sent_;  // bytes of each element; 0: it is answered
  std::uint64_t unanswered_ = 0;     // of those
  Answers answers_;                  // by their first element
};

}  // namespace tenkai
