#include "launcher/doctor/probe_checks.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "launcher/doctor/clock_check.h"
#include "launcher/doctor/r_report.h"
#include "launcher/template/shell.h"

namespace tenkai::doctor {
namespace {

// Its own control group says how much memory a job has; the machine has the rest.
constexpr const char* look_around = R"SH(
echo "@host=$(hostname 2>/dev/null || uname -n)"
echo "@seconds=$(date +%s)"
echo "@processors=$(nproc 2>/dev/null)"
m=$(cat "/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/memory.max" 2>/dev/null ||
  cat "/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)/memory.limit_in_bytes" 2>/dev/null)
case ${m:-max} in max | ???????????????*) m=$(awk '/^MemTotal/ {printf "%.0f", $2 * 1024}' /proc/meminfo) ;; esac
echo "@memory=$m"
if [ -d "$folder" ]; then echo @shared=yes; else echo @shared=no; fi
f=${TMPDIR:-/tmp}/tenkai-doctor-$$
if (umask 077 && echo x >"$f") 2>/dev/null; then rm -f "$f"; echo @temporary=yes; else echo @temporary=no; fi
)SH";

// All addresses are tried at once.
constexpr const char* come_back = R"SH(
if [ -d "$folder" ]; then
  (umask 077 && printf '%s\n@over=yes\n' "$report" >"$folder/.report" && mv "$folder/.report" "$folder/report")
fi
for address in $addresses; do
  report=$report timeout 4 bash -c 'exec 3<>"/dev/tcp/$1/$2" && printf "%s %s\n%s\n@over=yes\n" "$3" "$1" "$report" >&3' \
    bash "$address" "$port" "$word" 2>/dev/null &
done
wait
exit 0
)SH";

std::string in_mebi(const std::string& bytes) {
  auto number = to_number<std::uint64_t>(bytes);
  return number ? std::to_string(*number / (1024 * 1024)) + " MiB" : "not known";
}

std::string interface_of(const ProbeOutcome& it, const std::string& address) {
  for (const OwnAddress& each : it.own)
    if (each.address == address) return each.interface;
  return "";
}

// The first address that came back is the quickest.
Checks judge_way_back(const ProbeOutcome& it) {
  if (it.plan.addresses.empty()) return {};
  std::string what = "the way back to port " + std::to_string(it.plan.port);
  std::vector<std::string> came;
  for (const ProbeCall& each : it.calls) came.push_back(each.address);
  if (came.empty())
    return {wrong(
        "probe.reach", what,
        "none of " + join(it.plan.addresses, ", ") +
            " leads back from there: a firewall, "
            "or no route between the nodes and this machine",
        "ask the site which ports are open, and set port of the profile to them; or run the session as a "
        "job: tenkai run")};
  Checks checks = {
      ok("probe.reach", what, join(came, ", ") + (came.size() == 1 ? " leads" : " lead") + " back")};
  std::string best = came.front();
  std::string interface = interface_of(it, best);
  std::string proposed = interface.empty() ? "url of the profile to one with the host " + best
                                           : "interface: " + interface + " in the profile (" + best + ")";
  if (std::ranges::count(came, it.dialled) > 0)
    checks.push_back(ok("probe.url", it.dialled, "by which daemons connect, leads back"));
  else
    checks.push_back(wrong("probe.url", it.dialled,
                           "by which daemons are told to connect, does not lead back from there",
                           "set " + proposed));
  return checks;
}

Check judge_arrival(const ProbeOutcome& it, const std::string& host, bool has_report) {
  std::string what = "a job by " + it.launcher;
  if (has_report) return ok("probe.job", what, "has run on " + (host.empty() ? "a node" : host));
  std::string said(trim(it.trouble));
  if (it.has_ended)
    return wrong("probe.job", what,
                 said.empty() ? "has ended and said nothing that reached us" : "did not run: " + said,
                 "mend what it says; tenkai carry --dry-run --profile … shows what is run");
  return wrong("probe.job", what,
               "has not reported within " + std::to_string(it.limit.count()) + " s" +
                   (said.empty() ? "" : ": " + said),
               "squeue -u $USER shows whether it waits; tenkai doctor --probe --wait 600 waits longer");
}

}  // namespace

std::string probe_script(const ProbePlan& plan) {
  std::string script = ": tenkai doctor\n";
  script += "word=" + sh_word(plan.word) + " port=" + std::to_string(plan.port) +
            " folder=" + sh_word(plan.folder) + "\naddresses=" + sh_word(join(plan.addresses, " ")) + "\n";
  script += "report=$(" + std::string(look_around);
  script += sh_word(plan.rscript) + " -e " + sh_word(r_report_call()) +
            " 2>&1\ncode=$?; echo; echo \"@exit=$code\"\n)";
  return script + come_back;
}

bool read_probe_call(std::string_view text, std::string_view word, ProbeCall& call) {
  std::size_t line = text.find('\n');
  if (line == text.npos || !text.substr(0, line).starts_with(std::string(word) + " ")) return false;
  if (!trim(text).ends_with("\n@over=yes")) return false;
  call.address = printable(text.substr(word.size() + 1, line - word.size() - 1), 100);
  call.report = std::string(text.substr(line + 1));
  return true;
}

Checks judge_probe(const ProbeOutcome& it) {
  std::string report = it.calls.empty() ? it.left : it.calls.front().report;
  auto said = read_report(report);
  Checks checks = {judge_arrival(it, said["host"], !report.empty())};
  if (report.empty()) return checks;
  add(checks, judge_way_back(it));
  std::string on = " on " + said["host"];
  if (said["shared"] == "yes") checks.push_back(ok("probe.folder", it.plan.folder, "is seen" + on + ", too"));
  else
    checks.push_back(wrong("probe.folder", it.plan.folder,
                           "is not seen" + on + ", and jobs keep their files there",
                           "export XDG_CACHE_HOME=/path/that/both/see"));
  checks.push_back(
      judge_clock("probe.clock", "clock of " + said["host"], said["seconds"], it.begun, it.ended));
  if (said["temporary"] != "yes")
    checks.push_back(wrong("probe.temporary", "temporary folder" + on, "nothing can be written there",
                           "set TMPDIR in environment.variables of the profile"));
  checks.push_back(ok("probe.processors", "processors of the job", said["processors"]));
  checks.push_back(ok("probe.memory", "memory of the job", in_mebi(said["memory"])));
  RReport there;
  there.id = "probe.r";
  there.rscript = it.plan.rscript;
  there.where = on;
  there.answer.output = report;
  there.answer.exit_code = to_number<int>(said["exit"]).value_or(1);
  there.own_version = it.own_version;
  add(checks, judge_r(there));
  return checks;
}

}  // namespace tenkai::doctor
