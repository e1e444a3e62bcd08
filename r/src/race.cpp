#include "race.h"

#include <algorithm>
#include <chrono>

#include "crossing.h"

namespace tenkai {

void Race::enter(const std::shared_ptr<Link>& link, std::uint64_t task, std::size_t place) {
  // Mostly they are all on the link of the one before.
  bool is_same = !tasks_.empty() && links_[tasks_.back().link] == link;
  auto known = is_same ? links_.begin() + static_cast<std::ptrdiff_t>(tasks_.back().link)
                       : std::find(links_.begin(), links_.end(), link);
  std::size_t at = static_cast<std::size_t>(known - links_.begin());
  if (known == links_.end()) links_.push_back(link);
  tasks_.push_back({at, task, place});
}

std::optional<std::size_t> Race::wait(Until until) {
  std::vector<Link*> links;
  for (const std::shared_ptr<Link>& link : links_) links.push_back(link.get());
  // Where there is no time to wait, what has come counts.
  if (until) {
    for (Link* link : links) link->take_in();
  }
  std::uint64_t seen = news();
  std::optional<std::size_t> found = first();
  while (!found) {
    auto has_notes = [](Link* link) { return link->has_notes(); };
    if (std::any_of(links.begin(), links.end(), has_notes)) return std::nullopt;
    if (until && std::chrono::steady_clock::now() >= *until) return std::nullopt;
    Link::wait_a_little(links);
    if (news() == seen) check_interrupts();
    if (news() == seen) continue;
    seen = news();
    found = first();
  }
  return found;
}

std::optional<std::size_t> Race::first() const {
  for (const Task& each : tasks_) {
    if (!links_[each.link]->is_pending(each.task)) return each.place;
  }
  return std::nullopt;
}

// The end of a link is news, too.
std::uint64_t Race::news() const {
  std::uint64_t sum = 0;
  for (const std::shared_ptr<Link>& link : links_) sum += link->news() + (link->is_usable() ? 0 : 1);
  return sum;
}

}  // namespace tenkai
