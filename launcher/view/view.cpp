#include "launcher/view/view.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/lines.h"
#include "base/text.h"

namespace tenkai {
namespace {

Error bad(std::string_view line) {
  return Error{"the dispatcher said '" + printable(line, 60) + "', which is not understood"};
}

template <class Number>
bool read(std::string_view text, Number& into) {
  auto number = to_number<Number>(text);
  if (number) into = *number;
  return number.has_value();
}

Result<Done> read_fact(std::string_view key, const std::string& value, View& view) {
  bool good = true;
  if (key == "profile") view.profile = value;
  else if (key == "policy") view.policy = value;
  else if (key == "autoexit") view.autoexit = value;
  else if (key == "url") view.url = value;
  else if (key == "session_pid") good = read(value, view.session_pid);
  else if (key == "uptime_ms") good = read(value, view.uptime_ms);
  else if (key == "waiting") good = read(value, view.waiting);
  else if (key == "running") good = read(value, view.running);
  else if (key == "done") good = read(value, view.done);
  else if (key == "wanted") good = read(value, view.wanted.emplace());
  if (!good) return bad(std::string(key) + "=" + value);
  return Done{};
}

bool read_slot(const std::vector<std::string>& fields, View& view) {
  if (fields.size() < 6) return false;
  View::Slot slot;
  slot.url = fields[0];
  slot.online = fields[1] == "1";
  slot.state = fields[5];
  bool good =
      read(fields[2], slot.instance) && read(fields[3], slot.assigned) && read(fields[4], slot.complete);
  view.slots.push_back(std::move(slot));
  return good;
}

bool read_launch(const std::vector<std::string>& fields, View& view) {
  if (fields.size() < 8) return false;
  View::Launch launch;
  bool good = read(fields[1], launch.number);
  for (std::string_view each : split(fields[2], ',')) {
    good = read(each, launch.slots.emplace_back()) && good;
  }
  launch.plugin = fields[3];
  launch.where = fields[4];
  launch.state = fields[5];
  launch.cause = fields[6];
  launch.message = fields[7];
  view.launches.push_back(std::move(launch));
  return good;
}

}  // namespace

Result<View> parse_view(std::string_view text) {
  View view;
  std::size_t facts = text.starts_with('\n') ? 0 : std::min(text.find("\n\n") + 1, text.size());
  Result<Done> read_all = read_lines(
      text.substr(0, facts),
      [&view](std::string_view key, const std::string& value) { return read_fact(key, value, view); });
  if (!read_all) return read_all.error();
  std::vector<std::string_view> lines = split(text.substr(std::min(facts + 1, text.size())), '\n');
  if (!read(lines[0], view.online)) return bad(text.substr(0, 60));
  for (std::size_t at = 1; at < lines.size(); ++at) {
    if (lines[at].empty()) continue;
    std::vector<std::string> fields = read_row(lines[at]);
    bool good = fields[0] == "launch" ? read_launch(fields, view) : read_slot(fields, view);
    if (!good) return bad(lines[at]);
  }
  return view;
}

bool is_under_way(const View::Launch& launch) {
  constexpr std::array<std::string_view, 4> states{"asked", "submitted", "pending", "starting"};
  return std::find(states.begin(), states.end(), launch.state) != states.end();
}

std::vector<std::size_t> free_slots(const View& view) {
  std::vector<bool> taken(view.slots.size() + 1);
  for (std::size_t i = 0; i < view.slots.size(); ++i) taken[i + 1] = view.slots[i].online;
  for (const View::Launch& launch : view.launches) {
    if (!is_under_way(launch)) continue;
    for (std::size_t slot : launch.slots) {
      if (slot < taken.size()) taken[slot] = true;
    }
  }
  std::vector<std::size_t> free;
  for (std::size_t slot = 1; slot < taken.size(); ++slot) {
    if (!taken[slot]) free.push_back(slot);
  }
  return free;
}

const View::Launch* find_launch(const View& view, std::uint64_t number) {
  auto found = std::find_if(view.launches.begin(), view.launches.end(),
                            [number](const View::Launch& launch) { return launch.number == number; });
  return found == view.launches.end() ? nullptr : &*found;
}

}  // namespace tenkai
