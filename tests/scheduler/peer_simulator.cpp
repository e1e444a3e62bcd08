#include "tests/scheduler/peer_simulator.h"

#include <signal.h>

#include <algorithm>
#include <iterator>

#include "base/version.h"

namespace tenkai::tests {
namespace {

using namespace std::chrono_literals;

constexpr int storm_steps = 350;
constexpr int all_steps = 20000;

Rules rules_of(std::uint64_t seed) {
  std::mt19937_64 random(seed * 2 + 1);
  Rules rules;
  rules.policy = random() % 4 == 0 ? Policy::direct : Policy::queue;
  rules.retries.outside = static_cast<int>(random() % 4);
  if (random() % 2 == 0) rules.kill_after = 100ms;
  return rules;
}

Frame answer_to(const Frame& task) {
  Frame frame(Type::finished);
  frame.session = task.session;
  frame.task = task.task;
  frame.attempt = task.attempt;
  frame.payload = make_payload(std::to_string(task.task) + "#" + std::to_string(task.attempt));
  return frame;
}

// What is still on its way when a connection breaks.
void lose_some(std::deque<Frame>& frames, std::uint64_t kept) {
  if (kept < frames.size()) frames.resize(kept);
}

}  // namespace

PeerSimulation::PeerSimulation(std::uint64_t seed, PeerFlaw flaw)
    : seed_(seed),
      random_(seed),
      flaw_(std::move(flaw)),
      one_url_(rules_of(seed).policy != Policy::queue),
      urls_(one_url_ ? 1 : 1 + random_() % 4),
      now_(Time(1h)),
      dispatcher_(rules_of(seed), one_url_ ? 0 : urls_.size()),
      table_(dispatcher_, grants_, *this, {Liveness::Limits(), "here", one_url_}) {
  for (std::size_t slot = 0; slot < urls_.size(); ++slot) urls_[slot] = "url " + std::to_string(slot);
  table_.obey(now_, dispatcher_.on_session_joined(now_, 1));
}

std::string PeerSimulation::run(bool tells) {
  tells_ = tells;
  for (int steps = 0; complaint_.empty() && !is_over_; ++steps) {
    if (steps == storm_steps) calm_down();
    if (steps == all_steps) complain("it goes on for ever");
    step();
  }
  if (complaint_.empty()) check_left_behind();
  return complaint_;
}

void PeerSimulation::complain(const std::string& what) {
  if (!complaint_.empty()) return;
  complaint_ = what + "\n  seed " + std::to_string(seed_) + "; the way there:\n";
  for (const std::string& line : log_) complaint_ += "  " + line + "\n";
}

void PeerSimulation::note(const std::string& text) {
  auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch() - 1h);
  log_.push_back(std::to_string(since.count()) + " ms: " + text);
  if (log_.size() > 200) log_.pop_front();
}

CredentialId PeerSimulation::fresh_id() {
  CredentialId id{};
  ++last_id_;
  for (std::size_t i = 0; i < 8; ++i) id[i] = static_cast<unsigned char>(last_id_ >> (8 * i));
  return id;
}

// --- what happens ---

void PeerSimulation::step() {
  if (phase_ == Phase::storm) {
    pass_time(std::chrono::milliseconds(below(20)));
    if (chance(2)) pass_time(std::chrono::milliseconds(below(chance(10) ? 40000 : 2000)));
    return chance(35) ? step_of_storm() : static_cast<void>(move_on());
  }
  if (phase_ == Phase::calm && dispatcher_.unresolved() == 0) say_farewell();
  if (phase_ == Phase::calm) {
    const std::vector<Slot>& slots = dispatcher_.slots();
    for (std::size_t slot = 0; slot < urls_.size(); ++slot) {
      bool is_there = one_url_ ? dispatcher_.online() > 0 : slots[slot].online;
      bool is_coming = std::any_of(locals_.begin(), locals_.end(),
                                   [&](const auto& each) { return each->slot == slot && each->r.is_there; });
      if (!is_there && !is_coming) start_local(slot);
    }
  }
  if (move_on()) return;
  if (std::optional<Time> next = next_timer())
    return pass_time(std::chrono::duration_cast<std::chrono::milliseconds>(*next - now_) + 1ms);
  if (phase_ == Phase::farewell) is_over_ = true;
  else complain("nothing is left to happen, and tasks wait");
}

void PeerSimulation::step_of_storm() {
  std::uint64_t dice = below(100);
  auto falls = [&dice](std::uint64_t weight) {
    bool here = dice < weight;
    dice -= weight;  // wraps once it has fallen, and is not asked again
    return here;
  };
  // In some lives daemons have nothing to do, in others there is always something.
  constexpr unsigned paces[] = {100, 40, 12};
  if (falls(36)) {
    if (chance(paces[seed_ % 3])) submit();
    return;
  }
  if (falls(8)) {
    // One of the last, which are running.
    table_.obey(now_, dispatcher_.on_cancel(now_, 1, tasks_.size() - below(12)));
  } else if (falls(2)) {
    table_.obey(now_, dispatcher_.on_everywhere(now_, 1, make_payload("x")));
  } else if (falls(14)) {
    bool again = !agents_.empty() && chance(30);
    if (agents_.size() < 8) start_agent(again ? std::optional(below(agents_.size())) : std::nullopt);
  } else if (falls(8)) {
    if (locals_.size() < 8) start_local(below(urls_.size()));
  } else if (falls(seed_ % 4 == 0 ? 24 : 12)) {
    if (!links_.empty())
      cut(std::next(links_.begin(), static_cast<std::ptrdiff_t>(below(links_.size())))->second);
  } else if (falls(3)) {
    if (!one_url_) regenerate(below(urls_.size()));
  } else if (falls(2)) {
    auto known = std::find_if(links_.begin(), links_.end(), [](const auto& each) {
      return each.second.is_known && !each.second.is_let_go && !each.second.is_told;
    });
    if (known != links_.end()) table_.on_frame(now_, known->first, Frame(Type::note));
  } else if (!agents_.empty()) {
    Agent& agent = *agents_[below(agents_.size())];
    if (!agent.is_over) storm_over(agent);
  }
  act();
}

void PeerSimulation::storm_over(Agent& agent) {
  switch (below(6)) {
    case 0: return end(agent, chance(50));
    case 1:
      note("the job of an agent is over");
      table_.on_job_over(now_, agent.grant, agent.slots, {Cause::Kind::preempted, "was preempted"});
      if (chance(70)) end(agent, chance(50));
      return;
    case 2:
    case 3:
      note(agent.is_frozen ? "an agent goes on" : "an agent stops");
      agent.is_frozen = !agent.is_frozen;
      if (chance(70)) table_.on_job_suspended(now_, agent.grant, agent.slots, agent.is_frozen);
      return;
    case 4:
      if (!agent.is_frozen) carry_out(agent, agent.core->on_signal(now_, SIGTERM));
      return;
    default:
      if (!agent.is_frozen) carry_out(agent, agent.core->on_notice(now_));
  }
}

void PeerSimulation::calm_down() {
  note("calm");
  phase_ = Phase::calm;
  for (auto& agent : agents_) {
    agent->is_frozen = false;
    table_.on_job_suspended(now_, agent->grant, agent->slots, false);
  }
  act();
}

void PeerSimulation::say_farewell() {
  note("farewell");
  phase_ = Phase::farewell;
  has_closed_ = chance(30);
  if (has_closed_) table_.close(true);
  act();
  for (auto& agent : agents_) end(*agent, false);
  for (auto& local : locals_) die(local->r, SIGKILL);
}

// Whatever can happen by itself; false where nothing can.
bool PeerSimulation::move_on() {
  std::size_t many = links_.size() + agents_.size() + locals_.size();
  if (many == 0) return false;
  std::size_t first = below(many);
  for (std::size_t i = 0; i < many; ++i) {
    std::size_t which = (first + i) % many;
    bool moved = false;
    if (which < agents_.size()) {
      moved = move(*agents_[which]);
    } else if (which -= agents_.size(); which < locals_.size()) {
      moved = move(*locals_[which]);
    } else {
      auto link = std::next(links_.begin(), static_cast<std::ptrdiff_t>(which - locals_.size()));
      moved = move(link->first, link->second);
      bool is_over = link->second.is_left && link->second.is_told;
      if (is_over) links_.erase(link);
      moved = moved || is_over;
    }
    if (moved) return true;
  }
  return false;
}

bool PeerSimulation::move(ConnectionId id, Link& link) {
  bool may_wake = phase_ != Phase::storm || chance(5);
  if (link.up_sleeps && link.up_ends && may_wake) link.up_sleeps = false;
  if (link.down_sleeps && link.down_ends && may_wake) link.down_sleeps = false;
  bool is_frozen = link.agent != nullptr && link.agent->is_frozen;
  bool can_go_up = !link.up.empty() && !link.is_let_go && !link.is_told;
  bool can_go_down = !link.down.empty() && !link.is_left && !is_frozen;
  if (can_go_up && (!can_go_down || chance(50))) {
    Frame frame = std::move(link.up.front());
    link.up.pop_front();
    return go_up(id, link, std::move(frame)), true;
  }
  if (can_go_down) {
    Frame frame = std::move(link.down.front());
    link.down.pop_front();
    return go_down(link, std::move(frame)), true;
  }
  if (!link.is_told && (link.is_let_go || (link.up_ends && !link.up_sleeps))) {
    link.is_told = true;
    note("connection " + std::to_string(id) + " has ended");
    if (flaw_.hears_of_ends) table_.on_closed(now_, id, link.is_broken, "it is cut");
    return act(), true;
  }
  if (link.is_left || is_frozen || !link.down_ends || link.down_sleeps) return false;
  link.is_left = link.up_ends = true;
  if (link.local != nullptr) return die(link.local->r, SIGTERM), true;
  link.agent->link = 0;
  carry_out(*link.agent, link.agent->core->on_disconnected(now_, {"the connection has ended", Code::none}));
  return true;
}

bool PeerSimulation::move(Agent& agent) {
  if (agent.is_frozen || agent.is_over) return false;
  if (agent.dials) return answer_dial(agent), true;
  for (std::uint32_t rank = 0; rank < agent.rs.size(); ++rank) {
    if (move(agent, rank)) return true;
  }
  return false;
}

bool PeerSimulation::move(Agent& agent, std::uint32_t rank) {
  R& r = agent.rs[rank];
  if (r.pid == 0) return false;
  if (r.has_stream && !r.says.empty()) {
    Frame frame = std::move(r.says.front());
    r.says.pop_front();
    carry_out(agent, agent.core->on_r_frame(now_, rank, std::move(frame)));
  } else if (r.has_died && r.has_stream && chance(50)) {
    r.has_stream = false;
    carry_out(agent, agent.core->on_r_stream_ended(now_, rank));
  } else if (r.has_died && r.is_there) {
    r.is_there = false;
    carry_out(agent, agent.core->on_r_ended(now_, rank, r.end));
  } else if (r.has_died) {
    return false;
  } else if (!r.has_greeted) {
    r.has_greeted = true;
    r.says.push_back(Frame(Type::hello).with(Key::version, program_version).with(Key::instance, r.instance));
  } else if (phase_ == Phase::storm && chance(3)) {
    die(r, chance(50) ? SIGTERM : SIGSEGV);
  } else if (r.task && (phase_ != Phase::storm || chance(40))) {
    finish(r, r.says, false);
  } else if (r.leaves && !r.task) {
    die(r, {});
  } else {
    return false;
  }
  return true;
}

bool PeerSimulation::move(Local& local) {
  R& r = local.r;
  if (!r.is_there) return false;
  Link* link = links_.count(local.link) == 0 ? nullptr : &links_.at(local.link);
  if (r.has_died) {
    r.is_there = false;
    note("process " + std::to_string(r.pid) + " has ended");
    local.is_told = local.is_placed && local.has_joined;
    if (local.is_told) table_.on_process_ended(now_, r.pid, r.end);
    else local.is_placed = false;
    act();
  } else if (phase_ == Phase::storm && chance(3)) {
    die(r, SIGSEGV);
  } else if (r.task && link != nullptr && (phase_ != Phase::storm || chance(40))) {
    finish(r, link->up, false);
  } else if (!r.task && (r.leaves || (phase_ == Phase::storm && chance(1)))) {
    if (link != nullptr) link->up.emplace_back(Type::bye);
    die(r, {});
  } else {
    return false;
  }
  return true;
}

std::optional<Time> PeerSimulation::next_timer() const {
  std::optional<Time> next = table_.next_timer();
  for (const auto& agent : agents_) {
    std::optional<Time> due;
    if (!agent->is_over && !agent->is_frozen) due = agent->core->next_timer();
    if (due && (!next || *due < *next)) next = due;
  }
  return next;
}

void PeerSimulation::pass_time(std::chrono::milliseconds time) {
  Time until = now_ + time;
  for (int count = 0; complaint_.empty(); ++count) {
    std::optional<Time> next = next_timer();
    if (!next || *next > until) break;
    if (count > 1000) return complain("a timer is set again and again");
    now_ = std::max(now_, *next);
    if (table_.next_timer() && *table_.next_timer() <= now_) table_.on_timer(now_);
    act();
    for (auto& agent : agents_) {
      if (!agent->is_over && !agent->is_frozen) carry_out(*agent, agent->core->on_timer(now_));
    }
  }
  now_ = std::max(now_, until);
}

// `again`: with the credential of an earlier one, as a batch system does.
void PeerSimulation::start_agent(std::optional<std::size_t> again) {
  auto agent = std::make_unique<Agent>();
  if (again) {
    const Agent& first = *agents_[*again];
    agent->rules = first.rules;
    agent->slots = first.slots;
    agent->grant = first.grant;
    agent->credential = first.credential;
  } else {
    std::size_t daemons = 1 + below(urls_.size());
    for (std::size_t i = 0; i < daemons; ++i) agent->slots.push_back((seed_ + i) % urls_.size());
    for (std::size_t slot : agent->slots) agent->rules.urls.push_back(urls_[slot]);
    agent->rules.over_network = chance(75);
    agent->rules.in_job = agent->rules.over_network && chance(50);
    if (agent->rules.over_network) {
      agent->credential = fresh_id();
      auto uses = static_cast<std::uint32_t>(below(3));
      agent->grant = *grants_.issue({agent->slots, 1, uses, {}}, agent->credential, Secret());
      agent->rules.proof = uses == 0 ? AgentRules::Proof::reusable : AgentRules::Proof::once;
    }
  }
  agent->rules.seed = ++last_id_;
  agent->instance = "agent " + std::to_string(last_id_);
  if (agent->rules.in_job && chance(20)) agent->job_end = now_ + std::chrono::seconds(below(200));
  agent->rs.resize(agent->rules.urls.size());
  agent->core = std::make_unique<AgentCore>(agent->rules, now_);
  agents_.push_back(std::move(agent));
  note(agents_.back()->instance + (again ? " starts again" : " starts"));
  carry_out(*agents_.back(), agents_.back()->core->on_start({}));
}

void PeerSimulation::start_local(std::size_t slot) {
  auto local = std::make_unique<Local>();
  local->r.pid = ++last_pid_;
  local->slot = slot;
  local->link = ++last_link_;
  Link& link = links_[local->link];
  link.local = local.get();
  link.up.push_back(Frame(Type::hello).with(Key::url, urls_[slot]));
  note("process " + std::to_string(last_pid_) + " starts with connection " + std::to_string(last_link_));
  locals_.push_back(std::move(local));
}

void PeerSimulation::submit() {
  Submit submit;
  submit.task = tasks_.size() + 1;
  submit.payload = make_payload("x");
  if (chance(10)) submit.timeout = std::chrono::milliseconds(below(3000));
  tasks_[submit.task] = {};
  table_.obey(now_, dispatcher_.on_submit(now_, 1, std::move(submit)));
  act();
}

void PeerSimulation::regenerate(std::size_t slot) {
  note("saisei of slot " + std::to_string(slot));
  urls_[slot] += "'";
  grants_.void_slot(slot);
  table_.obey(now_, dispatcher_.regenerate(now_, slot));
  if (flaw_.forgets_slots) table_.drop_slot(now_, slot);
}

// `is_silent`: its node has lost its power, and nobody says so.
void PeerSimulation::end(Agent& agent, bool is_silent) {
  if (std::exchange(agent.is_over, true)) return;
  note(agent.instance + " is over" + (is_silent ? ", silently" : ""));
  auto link = links_.find(agent.link);
  if (link == links_.end()) return;
  link->second.is_left = link->second.up_ends = true;
  link->second.up_sleeps = link->second.is_broken = is_silent;
  if (is_silent) link->second.up.clear();
}

void PeerSimulation::cut(Link& link) {
  if (link.local != nullptr || link.up_ends || link.down_ends) return;
  note("the connection of " + link.agent->instance + " is cut");
  link.up_ends = link.down_ends = true;
  link.up_sleeps = chance(50);
  link.down_sleeps = chance(50);
  link.is_broken = chance(50);
  lose_some(link.up, below(link.up.size() + 1));
  lose_some(link.down, below(link.down.size() + 1));
}

void PeerSimulation::die(R& r, std::optional<int> number) {
  if (std::exchange(r.has_died, true)) return;
  r.task.reset();
  if (number) r.end.how.signal = number;
  else r.end.how.exit_code = 0;
  Local* local = local_of(r.pid);
  if (local == nullptr || links_.count(local->link) == 0) return;
  // What a task has forked may hold its stream.
  if (phase_ == Phase::storm && local->has_joined && chance(20)) return;
  links_.at(local->link).is_left = links_.at(local->link).up_ends = true;
}

void PeerSimulation::finish(R& r, std::deque<Frame>& says, bool failed) {
  Frame answer = answer_to(*std::exchange(r.task, std::nullopt));
  if (failed) answer.with(Key::failed, 1);
  if (phase_ == Phase::storm && chance(2)) {
    answer.with(Key::last, 1);
    r.leaves = true;
  }
  says.push_back(std::move(answer));
}

}  // namespace tenkai::tests
