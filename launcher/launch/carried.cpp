#include "launcher/launch/carried.h"

#include <algorithm>

#include "base/text.h"
#include "launcher/template/shell.h"

namespace tenkai {
namespace {

// Linux takes 128 KiB for one argument, and quoting may make more of it on the way.
constexpr std::size_t max_script = 64 * 1024;

// Side by side, and ended together: the end of the job is that of the last one, and its exit
// code that of the last which failed.
constexpr const char* run_all =
    "if [ $# = 1 ]; then exec /bin/sh -c \"$1\"; fi\n"
    "pids=\n"
    "trap 'kill -TERM $pids 2>/dev/null' TERM INT\n"
    "for each in \"$@\"; do /bin/sh -c \"$each\" & pids=\"$pids $!\"; done\n"
    "code=0\n"
    "for pid in $pids; do wait \"$pid\" || code=$?; done\n"
    "exit $code\n";

// SSH ends nothing: what runs there stays when its connection is lost. The end of the input says
// so, and each of them is a group of its own, to be ended with what it has started.
constexpr const char* run_all_while_connected =
    "exec 3<&0 </dev/null\n"
    "pids= groups= own=\n"
    "command -v setsid >/dev/null 2>&1 && own=setsid\n"
    "for each in \"$@\"; do\n"
    "  $own /bin/sh -c \"$each\" 3<&- &\n"
    "  pids=\"$pids $!\" groups=\"$groups ${own:+-}$!\"\n"
    "done\n"
    "{\n"
    "  while read -r each <&3; do :; done\n"
    "  kill -s TERM -- $groups\n"
    "  sleep 5\n"
    "  kill -s KILL -- $groups\n"
    "} >/dev/null 2>&1 &\n"
    "watching=$!\n"
    "exec 3<&-\n"
    "code=0\n"
    "for pid in $pids; do wait \"$pid\" || code=$?; done\n"
    "kill \"$watching\" 2>/dev/null\n"
    "exit $code\n";

using Commands = std::vector<std::string>;

// The case of one job: "0) set -- 'one' 'two' ;;".
std::string words_of(const Commands& commands, std::size_t from, std::size_t to, std::size_t rank) {
  std::string line = std::to_string(rank) + ") set --";
  for (std::size_t i = from; i < to; ++i) line += " " + sh_word(commands[i]);
  return line + " ;;\n";
}

std::string script_of(const std::string& cases, WorkersEnd end) {
  return "case ${TENKAI_RANK:-0} in\n" + cases + "*) set -- ;;\nesac\n" +
         (end == WorkersEnd::with_input ? run_all_while_connected : run_all);
}

}  // namespace

std::string program_of(std::string_view command) {
  std::string_view word = trim(command);
  char quote = word.empty() ? ' ' : word.front();
  bool is_quoted = quote == '\'' || quote == '"';
  if (is_quoted) word.remove_prefix(1);
  return std::string(word.substr(0, word.find_first_of(is_quoted ? std::string(1, quote) : " \t;&|")));
}

std::vector<CarriedLaunch> carried_launches(const std::vector<std::string>& commands, std::size_t chunk,
                                            WorkersEnd end) {
  chunk = std::max<std::size_t>(chunk, 1);
  std::vector<CarriedLaunch> launches;
  std::vector<std::string> cases;
  for (std::size_t from = 0; from < commands.size(); from += chunk) {
    std::size_t to = std::min(from + chunk, commands.size());
    bool is_full =
        !launches.empty() &&
        cases.back().size() + words_of(commands, from, to, launches.back().elements).size() > max_script;
    if (launches.empty() || is_full) {
      launches.push_back({{}, from, 0, chunk, 0});
      cases.emplace_back();
    }
    CarriedLaunch& last = launches.back();
    cases.back() += words_of(commands, from, to, last.elements);
    ++last.elements;
    last.workers += to - from;
  }
  for (std::size_t i = 0; i < launches.size(); ++i)
    launches[i].command = {"/bin/sh", "-c", script_of(cases[i], end)};
  return launches;
}

}  // namespace tenkai
