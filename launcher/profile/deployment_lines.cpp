// A deployment as lines, on its way from R and to it; and what is asked of it there.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/counted.h"
#include "base/daemon_call.h"
#include "base/lines.h"
#include "base/text.h"
#include "launcher/profile/deployment.h"

namespace tenkai {
namespace {

using Read = std::function<bool(Deployment&, const std::string& value)>;

template <class Member>
Read text_in(Member Deployment::*member) {
  return [=](Deployment& deployment, const std::string& value) {
    deployment.*member = value;
    return true;
  };
}

template <class Number, class Member>
Read number_in(Member Deployment::*member) {
  return [=](Deployment& deployment, const std::string& value) {
    auto number = to_number<Number>(value);
    if (number) deployment.*member = *number;
    return number.has_value();
  };
}

ScaleRules& scale_in(Deployment& deployment) {
  if (!deployment.scale) deployment.scale.emplace();
  return *deployment.scale;
}

template <class Member>
Read scale_in(Member ScaleRules::*member) {
  return [=](Deployment& deployment, const std::string& value) {
    auto number = to_number<std::uint32_t>(value);
    if (number) scale_in(deployment).*member = Member(*number);
    return number.has_value();
  };
}

bool read_backlog(Deployment& deployment, const std::string& value) {
  double& backlog = scale_in(deployment).backlog;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), backlog);
  return error == std::errc() && end == value.data() + value.size() && std::isfinite(backlog) && backlog > 0;
}

// An option of the machine that the lines are about, or of all machines.
bool read_option(Deployment& deployment, const std::string& value) {
  std::string name;
  std::string option;
  bool good = split_pair(value, name, option);
  Deployment::Options& options = deployment.each.empty() ? deployment.options : deployment.each.back();
  if (good) options[name].push_back(option);
  return good;
}

bool read_limit(Deployment& deployment, const std::string& value) {
  DaemonOptions option;
  bool good = bool(read_daemon_field("daemon", value, option)) &&
              to_number<std::uint64_t>(option.arguments.front().second).has_value();
  if (good) deployment.limits.push_back(std::move(option.arguments.front()));
  return good;
}

bool read_form(Deployment& deployment, const std::string& value) {
  deployment.one_by_one = value == "daemon";
  return deployment.one_by_one || value == "agent";
}

bool read_credential(Deployment& deployment, const std::string& value) {
  deployment.credential = value;
  return value == "stdin" || value == "file";
}

const std::map<std::string_view, Read>& readers() {
  using D = Deployment;
  static const std::map<std::string_view, Read> all{
      {"profile", text_in(&D::profile)},
      {"daemons", text_in(&D::daemons)},
      {"url", text_in(&D::url)},
      {"ports", text_in(&D::ports)},
      {"retries", text_in(&D::retries)},
      {"plugin", text_in(&D::plugin)},
      {"rscript",
       [](D& deployment, const std::string& value) {
         deployment.rscript = value;
         return !value.empty();
       }},
      {"memory", number_in<std::uint64_t>(&D::memory)},
      {"most", number_in<std::size_t>(&D::most)},
      {"chunk", number_in<std::size_t>(&D::chunk)},
      {"warning",
       [](D& deployment, const std::string& value) {
         deployment.warnings.push_back(value);
         return true;
       }},
      {"here", [](D& deployment, const std::string& value) { return deployment.here = value == "1"; }},
      {"each",
       [](D& deployment, const std::string& value) {
         deployment.each.emplace_back();
         return value.empty();
       }},
      {"limit", read_limit},
      {"credential", read_credential},
      {"form", read_form},
      {"option", read_option},
      {"scale_min", scale_in(&ScaleRules::min)},
      {"scale_max", scale_in(&ScaleRules::max)},
      {"scale_idle", scale_in(&ScaleRules::idle)},
      {"scale_pace", scale_in(&ScaleRules::pace)},
      {"scale_backlog", read_backlog},
  };
  return all;
}

std::string number_text(double number) {
  std::array<char, 32> text{};
  auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), end};
}

std::string scale_lines(const ScaleRules& scale) {
  return line_of("scale_min", std::to_string(scale.min)) + line_of("scale_max", std::to_string(scale.max)) +
         line_of("scale_backlog", number_text(scale.backlog)) +
         line_of("scale_idle", std::to_string(scale.idle.count())) +
         line_of("scale_pace", std::to_string(scale.pace.count()));
}

}  // namespace

std::string to_lines(const Deployment& deployment) {
  std::string lines;
  auto line = [&lines](std::string_view key, std::string_view value) {
    if (!value.empty()) lines += line_of(key, value);
  };
  auto options = [&line](const Deployment::Options& all) {
    for (const auto& [name, values] : all) {
      for (const std::string& value : values) line("option", name + "=" + value);
    }
  };
  line("profile", deployment.profile);
  for (const std::string& warning : deployment.warnings) line("warning", warning);
  line("daemons", deployment.daemons);
  line("url", deployment.url);
  line("ports", deployment.ports);
  line("retries", deployment.retries);
  for (const auto& [name, value] : deployment.limits) line("limit", name + "=" + value);
  if (deployment.memory) line("memory", std::to_string(*deployment.memory));
  if (deployment.most > 0) line("most", std::to_string(deployment.most));
  if (deployment.scale) lines += scale_lines(*deployment.scale);
  line("rscript", deployment.rscript);
  if (deployment.here) line("here", "1");
  if (deployment.plugin.empty()) return lines;
  line("plugin", deployment.plugin);
  line("credential", deployment.credential);
  line("form", deployment.one_by_one ? "daemon" : "agent");
  if (deployment.chunk) line("chunk", std::to_string(*deployment.chunk));
  options(deployment.options);
  for (const Deployment::Options& one : deployment.each) {
    lines += "each=\n";
    options(one);
  }
  return lines;
}

Result<Deployment> parse_deployment(std::string_view text) {
  Deployment deployment;
  Result<Done> read = read_lines(text, [&](std::string_view key, const std::string& value) -> Result<Done> {
    auto reader = readers().find(key);
    if (reader != readers().end() && reader->second(deployment, value)) return Done{};
    return Error{"'" + printable(std::string(key) + "=" + value, 80) +
                 "' is no line of a configuration of launches; are R package and program of one version?"};
  });
  if (!read) return read.error();
  if (std::optional<ScaleRules>& scale = deployment.scale) {
    if (scale->max == 0 || scale->min > scale->max)
      return Error{"daemons cannot be scaled between " + std::to_string(scale->min) + " and " +
                   std::to_string(scale->max)};
    scale->chunk = std::max<std::size_t>(1, deployment.chunk.value_or(1));
  }
  return deployment;
}

Result<Done> check_cap(const Deployment& deployment, std::size_t daemons) {
  if (deployment.most == 0 || daemons <= deployment.most) return Done{};
  return Error{"the site allows " + counted(deployment.most, "daemon") + " for a profile, not " +
               std::to_string(daemons) + " (cap 'daemons' in its file, see 'tenkai profile show " +
               deployment.profile + "')"};
}

}  // namespace tenkai
