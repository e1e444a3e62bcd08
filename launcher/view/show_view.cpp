#include "launcher/view/show_view.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdint>
#include <utility>

#include "base/counted.h"
#include "base/text.h"

namespace tenkai {
namespace {

namespace json = boost::json;

// How many bytes of a text that comes from elsewhere are shown.
constexpr std::size_t max_shown = 64 * 1024;

constexpr std::string_view green = "\x1b[32m";
constexpr std::string_view yellow = "\x1b[33m";
constexpr std::string_view red = "\x1b[31m";
constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view plain = "\x1b[0m";

struct Cell {
  std::string text;
  std::string_view colour = {};
};
using Row = std::vector<Cell>;

// In characters, of which each is taken to be as wide as any other.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string painted(const Cell& cell, bool colour) {
  if (!colour || cell.colour.empty()) return cell.text;
  return std::string(cell.colour) + cell.text + std::string(plain);
}

// Columns as wide as their widest cell, indented by two blanks.
std::vector<std::string> aligned(const std::vector<Row>& rows, bool colour) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i].text));
  }
  std::vector<std::string> lines;
  for (const Row& row : rows) {
    std::string line;
    std::string gap = "  ";
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i].text.empty()) {
        gap += std::string(widths[i] + 2, ' ');
        continue;
      }
      line += gap + painted(row[i], colour);
      gap = std::string(widths[i] - width_of(row[i].text) + 2, ' ');
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

Row heading(const std::vector<std::string>& names) {
  Row row;
  for (const std::string& name : names) row.push_back({name, bold});
  return row;
}

std::string uptime_of(std::uint64_t milliseconds) {
  std::uint64_t seconds = milliseconds / 1000;
  auto text = [](std::uint64_t number, const char* unit) { return std::to_string(number) + " " + unit; };
  if (seconds < 120) return text(seconds, "s");
  if (seconds < 120 * 60) return text(seconds / 60, "min");
  if (seconds < 48 * 3600) return text(seconds / 3600, "h");
  return text(seconds / 86400, "days");
}

std::string_view colour_of(const View::Slot& slot) {
  if (!slot.online) return {};
  return slot.state == "suspect" ? yellow : green;
}

std::string_view colour_of(const View::Launch& launch) {
  if (launch.state == "failed") return red;
  if (launch.state == "joined") return green;
  return is_under_way(launch) ? yellow : std::string_view{};
}

std::string daemons_table(const View& view, bool colour) {
  if (view.slots.empty()) return {};
  std::vector<Row> rows{heading({"daemon", "url", "online", "instance", "assigned", "complete", "state"})};
  for (std::size_t i = 0; i < view.slots.size(); ++i) {
    const View::Slot& slot = view.slots[i];
    // Where there are more slots than are ever used together, those that never were are left out.
    if (view.wanted && slot.instance == 0) continue;
    rows.push_back({{std::to_string(i + 1)},
                    {harmless(slot.url)},
                    {slot.online ? "yes" : "no", colour_of(slot)},
                    {std::to_string(slot.instance)},
                    {std::to_string(slot.assigned)},
                    {std::to_string(slot.complete)},
                    {harmless(slot.state), colour_of(slot)}});
  }
  if (rows.size() == 1) return {};
  return "\n" + join(aligned(rows, colour), "\n") + "\n";
}

std::string launches_table(const View& view, bool colour) {
  if (view.launches.empty()) return {};
  std::vector<Row> rows{heading({"launch", "daemons", "by", "where", "state", "cause"})};
  for (const View::Launch& launch : view.launches) {
    rows.push_back({{std::to_string(launch.number)},
                    {list_of(launch.slots)},
                    {harmless(launch.plugin)},
                    {harmless(launch.where)},
                    {harmless(launch.state), colour_of(launch)},
                    {harmless(launch.cause), colour_of(launch)}});
  }
  std::vector<std::string> lines = aligned(rows, colour);
  std::string table = "\n" + lines.front() + "\n";
  for (std::size_t i = 0; i < view.launches.size(); ++i) {
    table += lines[i + 1] + "\n";
    if (view.launches[i].message.empty()) continue;
    std::string message = harmless(view.launches[i].message);
    for (std::string_view line : split(message, '\n')) {
      if (!line.empty()) table += "          " + std::string(line) + "\n";
    }
  }
  return table;
}

std::string tasks_line(const View& view) {
  std::string wanted = view.wanted ? " of " + std::to_string(*view.wanted) + " wanted" : "";
  return "  " + counted(view.online, "daemon") + " online" + wanted +
         "; tasks: " + std::to_string(view.waiting) + " waiting, " + std::to_string(view.running) +
         " running, " + std::to_string(view.done) + " done\n";
}

json::array array_of(const std::vector<std::size_t>& numbers) {
  json::array array;
  for (std::size_t number : numbers) array.emplace_back(number);
  return array;
}

json::object object_of(const View::Slot& slot, std::size_t number) {
  return {{"slot", number},
          {"url", harmless(slot.url)},
          {"online", slot.online},
          {"instance", slot.instance},
          {"assigned", slot.assigned},
          {"complete", slot.complete},
          {"state", harmless(slot.state)}};
}

json::object object_of(const View::Launch& launch) {
  return {{"launch", launch.number},
          {"slots", array_of(launch.slots)},
          {"by", harmless(launch.plugin)},
          {"where", harmless(launch.where)},
          {"state", harmless(launch.state)},
          {"cause", harmless(launch.cause)},
          {"message", harmless(launch.message)}};
}

json::object object_of(const View& view) {
  json::array slots;
  for (std::size_t i = 0; i < view.slots.size(); ++i) slots.push_back(object_of(view.slots[i], i + 1));
  json::array launches;
  for (const View::Launch& launch : view.launches) launches.push_back(object_of(launch));
  json::object tasks{{"waiting", view.waiting}, {"running", view.running}, {"done", view.done}};
  json::object object{{"pid", view.pid},
                      {"session_pid", view.session_pid},
                      {"profile", harmless(view.profile)},
                      {"policy", harmless(view.policy)},
                      {"uptime_s", static_cast<double>(view.uptime_ms) / 1000},
                      {"online", view.online},
                      {"tasks", std::move(tasks)},
                      {"slots", std::move(slots)},
                      {"launches", std::move(launches)}};
  if (view.wanted) object["wanted"] = *view.wanted;
  if (!view.url.empty()) object["url"] = harmless(view.url);
  return object;
}

}  // namespace

std::string harmless(std::string_view text) {
  std::vector<std::string> lines;
  for (std::string_view line : split(text.substr(0, max_shown), '\n'))
    lines.push_back(printable(line, max_shown));
  return join(lines, "\n");
}

std::string title_of(const View& view) {
  std::string who = view.profile.empty() ? "no profile" : "profile " + printable(view.profile, 100);
  if (view.policy == "ephemeral") who = "without daemons, a new R for each task";
  std::string session = view.session_pid > 0 ? ", R session " + std::to_string(view.session_pid) : "";
  return who + " (dispatcher " + std::to_string(view.pid) + session + ")";
}

std::string table_of(const View& view, bool colour) {
  std::string table = painted({title_of(view), bold}, colour) + ", for " + uptime_of(view.uptime_ms) + "\n";
  table += tasks_line(view);
  if (!view.url.empty()) table += "  daemons connect at " + harmless(view.url) + "\n";
  return table + daemons_table(view, colour) + launches_table(view, colour);
}

std::string json_of(const std::vector<View>& views) {
  json::array dispatchers;
  for (const View& view : views) dispatchers.push_back(object_of(view));
  return json::serialize(json::object{{"dispatchers", std::move(dispatchers)}}) + "\n";
}

std::string json_of(const std::vector<ShownLaunch>& launches) {
  json::array array;
  for (const ShownLaunch& each : launches) {
    json::object object = object_of(each.launch);
    object["command"] = harmless(each.command);
    if (each.launch.state.empty()) {
      for (const char* name : {"where", "state", "cause", "message"}) object.erase(name);
    }
    array.push_back(std::move(object));
  }
  return json::serialize(json::object{{"launches", std::move(array)}}) + "\n";
}

}  // namespace tenkai
