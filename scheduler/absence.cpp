#include "scheduler/absence.h"

#include <algorithm>

#include "base/text.h"

namespace tenkai {
namespace {

// How long tasks wait for a first daemon that somebody is to start before they are told.
constexpr std::chrono::seconds silence{5};

}  // namespace

void Absence::on_joined() {
  why_left_.clear();
  told_ = false;
  on_nothing_waits();
}

void Absence::on_left(std::size_t slot, const Cause& cause) {
  last_left_ = slot + 1;
  why_left_ = how_it_left(cause);
}

void Absence::on_prospects(Prospects prospects) {
  if (prospects.kind != Prospects::Kind::none) give_up_at_.reset();
  if (prospects.kind == Prospects::Kind::coming) {
    told_ = false;
    tell_at_.reset();
  }
  prospects_ = std::move(prospects);
}

void Absence::on_nothing_waits() {
  give_up_at_.reset();
  tell_at_.reset();
}

// How the last daemon has left, or why none has come; empty: none has been expected yet.
std::string Absence::why() const {
  if (why_left_.empty()) return prospects_.why;
  return "daemon " + std::to_string(last_left_) + " " + why_left_;
}

std::optional<std::string> Absence::on_waiting(Time now, bool usual) {
  if (prospects_.kind == Prospects::Kind::coming) return std::nullopt;
  bool none = prospects_.kind == Prospects::Kind::none;
  if (none && patience_ && !give_up_at_) give_up_at_ = now + bounded_wait(*patience_);
  if (told_ || !usual) return std::nullopt;
  std::string why = this->why();
  if (why.empty()) {
    if (policy_ == Policy::ephemeral) return std::nullopt;  // each task has a process started for it
    if (!tell_at_) tell_at_ = now + silence;
    if (now < *tell_at_) return std::nullopt;
  }
  tell_at_.reset();
  told_ = true;
  std::string slot = std::to_string(!has_slots(policy_) ? 1 : std::max<std::size_t>(last_left_, 1));
  std::string text = why.empty()         ? "no daemon has joined yet"
                     : why_left_.empty() ? "no daemon is coming: "
                                         : "no daemon is left: ";
  text += why + "; tasks wait until one joins, launch_local(" + slot +
          ") starts one here, launch_remote() one elsewhere";
  if (give_up_at_)
    text += ". Those that still wait in " + in_seconds(*patience_) +
            " (daemons(patience =)) resolve to an error value 19";
  return text;
}

std::optional<std::string> Absence::take_end(Time now) {
  if (!give_up_at_ || *give_up_at_ > now) return std::nullopt;
  give_up_at_.reset();
  told_ = false;  // what is submitted from now on waits anew
  return "no daemon has come for " + in_seconds(*patience_) + ": " + why();
}

std::optional<Time> Absence::next_timer() const {
  if (!give_up_at_ || !tell_at_) return give_up_at_ ? give_up_at_ : tell_at_;
  return std::min(*give_up_at_, *tell_at_);
}

}  // namespace tenkai
