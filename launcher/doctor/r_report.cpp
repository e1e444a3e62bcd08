#include "launcher/doctor/r_report.h"

#include <chrono>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/version.h"

namespace tenkai::doctor {
namespace {

// R that takes longer than this is a slow file system, or a start-up file that does too much.
constexpr std::chrono::seconds slow_start{6};

// 4.1: what the package says in DESCRIPTION.
bool is_old_r(std::string_view version) {
  std::vector<std::string_view> parts = split(version, '.');
  int major = to_number<int>(parts[0]).value_or(0);
  int minor = parts.size() > 1 ? to_number<int>(parts[1]).value_or(0) : 0;
  return major < 4 || (major == 4 && minor < 1);
}

Check bad_r(const RReport& report, std::string id, std::string what, std::string sentence, std::string mend) {
  auto make = report.counts ? wrong : warning;
  return make(report.id + std::move(id), std::move(what), std::move(sentence), std::move(mend));
}

std::string here_only(const RReport& report) { return report.hint.empty() ? "" : "; " + report.hint; }

std::string how_to_install(const RReport& report) {
  return report.install.empty() ? "R CMD INSTALL the package tenkai " + report.own_version +
                                      ", or set environment.lib-paths of the profile to where it is"
                                : report.install;
}

Checks judge_package(RReport report, const std::map<std::string, std::string>& said) {
  if (report.is_brought) {
    report.counts = false;
    report.hint = "a launch brings it along";
  }
  auto value = [&said](const std::string& key) {
    auto found = said.find(key);
    return found == said.end() ? std::string() : found->second;
  };
  std::string what = "package tenkai" + report.where;
  std::string version = value("package");
  if (version.empty())
    return {bad_r(report, ".package", what,
                  "is not in R's libraries " + value("libraries") + here_only(report),
                  how_to_install(report))};
  if (!works_with(report.own_version, version))
    return {bad_r(report, ".package_version", what,
                  "is version " + version + ", and this program is " + report.own_version,
                  "install both from the same release: " + how_to_install(report))};
  if (value("loads") != "yes")
    return {bad_r(report, ".package", what,
                  version + " in " + value("path") + " cannot be loaded: " + value("loads"),
                  "install it again with this R: " + how_to_install(report))};
  Checks checks = {ok(report.id + ".package", what, version + " in " + value("path"))};
  std::string program = "program of the package" + report.where;
  if (std::string why = value("program_trouble"); !why.empty())
    checks.push_back(bad_r(report, ".program", program, why,
                           "set TENKAI_BIN to the path of tenkai " + report.own_version +
                               ", or install the package again with TENKAI_PREFIX"));
  else checks.push_back(ok(report.id + ".program", program, value("program")));
  return checks;
}

}  // namespace

std::string r_report_call() {
  return R"R({
say <- function(key, value) cat("\n@", key, "=", gsub("[\r\n]+", " ", paste(value, collapse = " ")), "\n", sep = "")
try_it <- function(expr) tryCatch({expr; ""}, error = conditionMessage)
say("r", as.character(getRversion()))
say("home", R.home())
say("libraries", paste(.libPaths(), collapse = ":"))
say("package", tryCatch(as.character(utils::packageVersion("tenkai")), error = function(e) ""))
say("path", system.file(package = "tenkai"))
why <- try_it(loadNamespace("tenkai"))
say("loads", if (nzchar(why)) why else "yes")
if (!nzchar(why)) {
program <- tryCatch(tenkai:::find_program(), error = function(e) "")
say("program", program)
say("program_trouble", try_it(tenkai:::check_version(tenkai:::find_program())))
}
say("time", format(as.numeric(Sys.time()), digits = 15))
say("end", "yes")
})R";
}

std::map<std::string, std::string> read_report(std::string_view output) {
  std::map<std::string, std::string> said;
  for (std::string_view line : split(output, '\n')) {
    if (!line.starts_with('@')) continue;
    std::size_t equals = line.find('=');
    if (equals == line.npos) continue;
    said[std::string(line.substr(1, equals - 1))] = std::string(trim(line.substr(equals + 1)));
  }
  return said;
}

Checks judge_r(const RReport& report) {
  std::map<std::string, std::string> said = read_report(report.answer.output);
  std::string what = report.rscript + report.where;
  if (!said.contains("r") || report.answer.timed_out) {
    std::string why = trouble_of(report.answer, report.limit);
    if (!report.answer.timed_out && report.answer.exit_code == 127) why = not_found(report.answer);
    return {bad_r(report, "", what, why + here_only(report),
                  "install R, or set environment.rscript (or environment.modules) of the profile")};
  }
  if (is_old_r(said["r"]))
    return {bad_r(report, ".version", what, "is R " + said["r"] + ", and tenkai needs 4.1 or later",
                  "set environment.rscript or environment.modules of the profile to a later R")};
  Checks checks = {ok(report.id, what, "R " + said["r"] + " in " + said["home"])};
  if (report.answer.took > slow_start)
    checks.push_back(warning(report.id + ".start", what,
                             "takes " + in_seconds(report.answer.took) + " to start",
                             "look at its start-up files (Rscript --vanilla -e 0) and at the file system "
                             "that R is on"));
  add(checks, judge_package(report, said));
  return checks;
}

}  // namespace tenkai::doctor
