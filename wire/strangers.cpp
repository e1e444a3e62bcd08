#include "wire/strangers.h"

#include <algorithm>
#include <utility>

namespace tenkai {

using Clock = std::chrono::steady_clock;

Strangers::~Strangers() {
  for (Ticket* ticket : all_) ticket->home_ = nullptr;
}

Strangers::Ticket::~Ticket() {
  if (home_ != nullptr) home_->leave(*this);
}

void Strangers::Ticket::expel_by(Expel expel) {
  // Too late: the time was over while the connection changed its shape.
  if (home_ == nullptr) return expel("it was too slow, or too many were at the door");
  expel_ = std::move(expel);
}

void Strangers::Ticket::take_step() { until_ = deadline(entered_, Clock::now()); }

Strangers::TicketPtr Strangers::enter(std::string address, Expel expel) {
  make_room(address);
  auto ticket = std::make_shared<Ticket>();
  ticket->home_ = this;
  ticket->address_ = std::move(address);
  ticket->entered_ = Clock::now();
  ticket->take_step();
  ticket->expel_ = std::move(expel);
  ticket->place_ = all_.insert(all_.end(), ticket.get());
  // With others here the timer is set for one of them, and none goes after this one.
  if (all_.size() == 1) arm();
  return ticket;
}

// The first to go among those who count: one who has named no credential, if there is one.
Strangers::Ticket* Strangers::oldest(const std::function<bool(const Ticket&)>& counts) const {
  Ticket* found = nullptr;
  for (Ticket* each : all_) {
    if (counts(*each) && (found == nullptr || (found->promising_ && !each->promising_))) found = each;
  }
  return found;
}

bool Strangers::expel_oldest() {
  if (all_.empty()) return false;
  expel(*oldest([](const Ticket&) { return true; }), "too many are at the door");
  return true;
}

void Strangers::make_room(const std::string& address) {
  auto from_there = [&](const Ticket& ticket) { return ticket.address_ == address; };
  auto count = std::count_if(all_.begin(), all_.end(), [&](const Ticket* each) { return from_there(*each); });
  if (count >= static_cast<long>(max_per_address)) expel(*oldest(from_there), "too many are at the door");
  if (all_.size() >= max_half_open) expel_oldest();
}

void Strangers::expel(Ticket& ticket, const std::string& why) {
  Expel expel = std::move(ticket.expel_);
  leave(ticket);  // expel() may end the ticket's life
  if (expel) expel(why);
}

void Strangers::leave(Ticket& ticket) {
  all_.erase(ticket.place_);
  ticket.home_ = nullptr;
  ticket.expel_ = nullptr;
  if (!all_.empty()) return;
  // Cancelling would leave the system's timer set, which wakes an idle process for
  // nothing; setting it far ahead does not.
  timer_.expires_after(std::chrono::hours(24));
  timer_.async_wait([](boost::system::error_code) {});
}

Strangers::Ticket* Strangers::next_to_go() const {
  auto next = std::min_element(all_.begin(), all_.end(),
                               [](const Ticket* a, const Ticket* b) { return a->until_ < b->until_; });
  return next == all_.end() ? nullptr : *next;
}

void Strangers::arm() {
  Ticket* next = next_to_go();
  if (next == nullptr) return;
  timer_.expires_at(next->until_);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    Time now = Clock::now();
    for (Ticket* late = next_to_go(); late != nullptr && late->until_ <= now; late = next_to_go()) {
      expel(*late, "it did not prove who it is: a step took more than " + std::to_string(step_limit.count()) +
                       " s, or all of them more than " + std::to_string(time_limit.count()) + " s");
    }
    arm();
  });
}

}  // namespace tenkai
