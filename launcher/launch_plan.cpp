#include "launcher/launch_plan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <system_error>

#include "base/counted.h"
#include "base/text.h"
#include "launcher/profile/value.h"

namespace tenkai {
namespace {

constexpr std::size_t max_chunk = 4096;
constexpr std::size_t usual_agents = 64;

void replace_all(std::string& text, std::string_view place, std::string_view with) {
  for (std::size_t at = text.find(place); at != text.npos; at = text.find(place, at + with.size())) {
    text.replace(at, place.size(), with);
  }
}

Error bad(std::string_view line) {
  return Error{"'" + printable(line) +
               "' is no line of a launch plan; are R package and program of one version?"};
}

Result<Done> read_chunk(std::string_view value, LaunchPlan& plan) {
  plan.chunk = to_number<std::size_t>(value);
  if (!plan.chunk) return bad(value);
  if (*plan.chunk > max_chunk) {
    return Error{"an agent has at most " + counted(max_chunk, "daemon") + ", not " + printable(value, 20) +
                 ": array_chunk, or slurm.array-chunk of the profile, must be smaller"};
  }
  return Done{};
}

// An option of all parts, or of the last one.
Result<Done> read_option(std::string_view value, LaunchPlan::Options& into) {
  std::size_t equals = value.find('=');
  if (equals == value.npos || equals == 0) return bad(value);
  into[std::string(value.substr(0, equals))].push_back(unescape_line(value.substr(equals + 1)));
  return Done{};
}

Result<Done> read_slot(std::string_view value, std::size_t slots, LaunchPlan::Part& part) {
  auto number = to_number<std::size_t>(value);
  if (!number || *number < 1 || *number > slots) return Error{"there is no slot " + printable(value, 20)};
  part.slots.push_back(*number - 1);
  return Done{};
}

std::string_view autoexit_word(LaunchPlan::AtEnd at_end) {
  if (at_end == LaunchPlan::AtEnd::finish) return "na";
  return at_end == LaunchPlan::AtEnd::stay ? "0" : "1";
}

Result<Done> read_autoexit(std::string_view value, LaunchPlan& plan) {
  for (auto at_end : {LaunchPlan::AtEnd::now, LaunchPlan::AtEnd::finish, LaunchPlan::AtEnd::stay}) {
    if (value != autoexit_word(at_end)) continue;
    plan.at_end = at_end;
    return Done{};
  }
  return bad(value);
}

// The one that the lines are about.
LaunchPlan::Part& last_part(LaunchPlan& plan) { return plan.spare ? *plan.spare : plan.parts.back(); }

Result<Done> read_scale(std::string_view value, LaunchPlan& plan) {
  std::vector<std::string_view> fields = split(value, ',');
  if (fields.size() != 5) return bad(value);
  ScaleRules rules;
  auto min = to_number<std::uint32_t>(fields[0]);
  auto max = to_number<std::uint32_t>(fields[1]);
  auto idle = to_number<std::uint32_t>(fields[3]);
  auto pace = to_number<std::uint32_t>(fields[4]);
  auto [end, error] = std::from_chars(fields[2].data(), fields[2].data() + fields[2].size(), rules.backlog);
  bool is_number = error == std::errc() && end == fields[2].data() + fields[2].size();
  if (!min || !max || !idle || !pace || !is_number) return bad(value);
  if (*max == 0 || *min > *max || !std::isfinite(rules.backlog) || rules.backlog <= 0) return bad(value);
  rules.min = *min;
  rules.max = *max;
  rules.idle = std::chrono::milliseconds(*idle);
  rules.pace = std::chrono::milliseconds(*pace);
  plan.scale = rules;
  return Done{};
}

std::string plain_number(double number) {
  std::array<char, 32> text{};
  auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), end};
}

// What each daemon may have, as it was typed; null: as much as there is.
const std::string* memory_of(const LaunchPlan::Part& part) {
  auto found = part.options.find("limits.memory");
  return found == part.options.end() || found->second.empty() ? nullptr : &found->second.front();
}

Result<Done> check(const LaunchPlan& plan) {
  if (plan.plugin.empty()) return Error{"the launch plan names no plugin"};
  if (plan.parts.empty() && !plan.spare) return Error{"there is nothing to launch"};
  if (plan.scale && !plan.spare) return Error{"there are no slots between which to scale"};
  if (plan.spare && (!plan.chunk || plan.delivery != LaunchPlan::Delivery::file)) {
    return Error{"only jobs of a batch system can be launched later"};
  }
  if (plan.chunk && plan.form == LaunchPlan::Form::daemon) {
    return Error{"daemons without an agent cannot share one"};
  }
  std::vector<const LaunchPlan::Part*> parts;
  for (const LaunchPlan::Part& part : plan.parts) parts.push_back(&part);
  if (plan.spare) parts.push_back(&*plan.spare);
  for (const LaunchPlan::Part* each : parts) {
    const LaunchPlan::Part& part = *each;
    if (part.slots.empty() || part.slots.size() != part.calls.size()) {
      return Error{"a launch needs a slot, and a call for each"};
    }
    if (plan.form == LaunchPlan::Form::daemon && part.slots.size() > 1) return Error{"one R is one daemon"};
    if (memory_of(part) && !parse_memory(*memory_of(part))) {
      return Error{"limits.memory is '" + printable(*memory_of(part), 40) +
                   "', which is no amount of memory; write one, such as 2G"};
    }
  }
  return Done{};
}

std::size_t daemons_of_agent(const LaunchPlan& plan, const LaunchPlan::Part& part) {
  return chunk_of(plan, part).value_or(part.slots.size());
}

std::string r_string(const std::string& text) {
  std::string quoted = text;
  replace_all(quoted, "\\", "\\\\");
  replace_all(quoted, "'", "\\'");
  replace_all(quoted, "\n", "\\n");
  return "'" + quoted + "'";
}

// What follows the credential in the call of an agent.
std::string r_arguments(const LaunchPlan& plan) {
  std::string text;
  if (!plan.tls.empty()) {
    std::vector<std::string> texts;
    for (const std::string& each : plan.tls) texts.push_back(r_string(each));
    text += ",tls=" + (texts.size() == 1 ? texts.front() : "c(" + join(texts, ",") + ")");
  }
  if (plan.at_end == LaunchPlan::AtEnd::finish) text += ",autoexit=NA";
  if (plan.at_end == LaunchPlan::AtEnd::stay) text += ",autoexit=FALSE";
  if (plan.output) text += ",output=TRUE";
  return text;
}

}  // namespace

Result<LaunchPlan> parse_launch_plan(std::string_view text, std::size_t slots) {
  LaunchPlan plan;
  LaunchPlan::Options common;
  for (std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    std::size_t equals = line.find('=');
    if (equals == line.npos) return bad(line);
    std::string_view key = line.substr(0, equals);
    std::string_view value = line.substr(equals + 1);
    bool inside = !plan.parts.empty() || plan.spare;
    Result<Done> read = Done{};
    if (key == "plugin") plan.plugin = unescape_line(value);
    else if (key == "rscript") plan.rscript = unescape_line(value);
    else if (key == "profile") plan.profile = unescape_line(value);
    else if (key == "dry") plan.dry = value == "1";
    else if (key == "by_hand") plan.by_hand = value == "1";
    else if (key == "output") plan.output = value == "1";
    else if (key == "tls") plan.tls.push_back(unescape_line(value));
    else if (key == "autoexit") read = read_autoexit(value, plan);
    else if (key == "credential" && value == "file") plan.delivery = LaunchPlan::Delivery::file;
    else if (key == "credential" && value == "stdin") plan.delivery = LaunchPlan::Delivery::stdin_;
    else if (key == "form" && value == "daemon") plan.form = LaunchPlan::Form::daemon;
    else if (key == "form" && value == "agent") plan.form = LaunchPlan::Form::agent;
    else if (key == "chunk") read = read_chunk(value, plan);
    else if (key == "option") read = read_option(value, inside ? last_part(plan).options : common);
    else if (key == "scale") read = read_scale(value, plan);
    else if (key == "launch" && !plan.spare) plan.parts.emplace_back();
    else if (key == "spare" && !plan.spare) plan.spare.emplace();
    else if (key == "slot" && inside) read = read_slot(value, slots, last_part(plan));
    else if (key == "call" && inside) last_part(plan).calls.push_back(unescape_line(value));
    else return bad(line);
    if (!read) return read.error();
    if (plan.parts.size() > max_launches) return Error{"more than 10000 launches at once"};
  }
  for (LaunchPlan::Part& part : plan.parts) part.options.insert(common.begin(), common.end());
  if (plan.spare) plan.spare->options.insert(common.begin(), common.end());
  Result<Done> good = check(plan);
  if (!good) return good.error();
  return plan;
}

std::string to_text(const LaunchPlan& plan) {
  auto line = [](std::string_view key, std::string_view value) {
    return std::string(key) + "=" + escape_line(value) + "\n";
  };
  std::string text = line("plugin", plan.plugin) + line("rscript", plan.rscript) +
                     line("profile", plan.profile) +
                     line("credential", plan.delivery == LaunchPlan::Delivery::file ? "file" : "stdin") +
                     line("form", plan.form == LaunchPlan::Form::daemon ? "daemon" : "agent");
  if (plan.chunk) text += line("chunk", std::to_string(*plan.chunk));
  if (plan.dry) text += "dry=1\n";
  if (plan.by_hand) text += "by_hand=1\n";
  if (plan.output) text += "output=1\n";
  if (plan.at_end != LaunchPlan::AtEnd::now) text += line("autoexit", autoexit_word(plan.at_end));
  for (const std::string& each : plan.tls) text += line("tls", each);
  if (const std::optional<ScaleRules>& scale = plan.scale) {
    text += "scale=" + std::to_string(scale->min) + "," + std::to_string(scale->max) + "," +
            plain_number(scale->backlog) + "," + std::to_string(scale->idle.count()) + "," +
            std::to_string(scale->pace.count()) + "\n";
  }
  std::vector<LaunchPlan::Part> parts = plan.parts;
  if (plan.spare) parts.push_back(*plan.spare);
  for (std::size_t n = 0; n < parts.size(); ++n) {
    const LaunchPlan::Part& part = parts[n];
    text += n < plan.parts.size() ? "launch=\n" : "spare=\n";
    for (std::size_t i = 0; i < part.slots.size(); ++i) {
      text += line("slot", std::to_string(part.slots[i] + 1)) + line("call", part.calls[i]);
    }
    for (const auto& [name, values] : part.options) {
      for (const std::string& value : values) text += "option=" + name + "=" + escape_line(value) + "\n";
    }
  }
  return text;
}

std::optional<std::size_t> chunk_of(const LaunchPlan& plan, const LaunchPlan::Part& part) {
  if (!plan.chunk) return std::nullopt;
  if (*plan.chunk > 0) return std::min(*plan.chunk, part.slots.size());
  auto nodes = part.options.find("slurm.nodes");
  std::optional<std::size_t> agents;
  if (nodes != part.options.end() && !nodes->second.empty())
    agents = to_number<std::size_t>(nodes->second.front());
  std::size_t most = std::max<std::size_t>(1, agents.value_or(usual_agents));
  return (part.slots.size() + most - 1) / most;
}

std::vector<std::string> command_of(const LaunchPlan& plan, const LaunchPlan::Part& part,
                                    const std::vector<std::string>& urls, const std::string& place) {
  std::string call;
  if (plan.form == LaunchPlan::Form::daemon) {
    call = part.calls.front();
    replace_all(call, "@URL@", urls.front());
    replace_all(call, "@CREDENTIAL@", place);
  } else {
    call = "tenkai::agent('" + urls.front() + "',daemons=" + std::to_string(daemons_of_agent(plan, part)) +
           ",credential='" + place + "'" + r_arguments(plan) + ")";
  }
  return {plan.rscript, "-e", call};
}

std::vector<std::string> agent_command(const LaunchPlan& plan, const LaunchPlan::Part& part,
                                       const std::string& program, const std::string& place) {
  if (plan.form == LaunchPlan::Form::daemon || !plan.tls.empty()) return {};
  std::vector<std::string> words{program,
                                 "agent",
                                 "--manifest",
                                 "--credential",
                                 place,
                                 "--daemons",
                                 std::to_string(daemons_of_agent(plan, part)),
                                 "--autoexit",
                                 std::string(autoexit_word(plan.at_end))};
  if (plan.output) words.emplace_back("--output");
  words.emplace_back("--rscript");
  return words;
}

std::string manifest_lines(const LaunchPlan::Part& part, const std::vector<std::string>& urls) {
  std::string lines;
  auto bytes = memory_of(part) ? parse_memory(*memory_of(part)) : std::nullopt;
  if (bytes) lines += "memory=" + std::to_string(*bytes) + "\n";
  for (std::size_t i = 0; i < part.calls.size(); ++i) {
    lines += "url=" + urls[std::min(i, urls.size() - 1)] + "\n";
    lines += "call=" + escape_line(part.calls[i]) + "\n";
  }
  return lines + "end\n";
}

}  // namespace tenkai
