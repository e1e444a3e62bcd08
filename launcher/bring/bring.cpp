#include "launcher/bring/bring.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "base/version.h"

namespace tenkai::bring {
namespace {

constexpr std::string_view sign = "tenkai-there ";
constexpr std::string_view answer_sign = "tenkai-brought ";
// So many of the 64 digits of a hash.
constexpr std::size_t digits_of_name = 16;

std::string cache_script() {
  return R"sh(umask 077; cache="${XDG_CACHE_HOME:-$HOME/.cache}/tenkai/)sh" + std::string(program_version) +
         R"sh("; )sh";
}

// `script` is one line without backslashes and single quotes: R's own start script lets an
// `echo` read it that would take them in its own way.
std::string call_of(const std::string& statements, const std::string& script) {
  return "base::evalq({" + statements + "system(" + r_text(script) +
         ")},base::new.env(parent=base::baseenv()))";
}

// Nobody else can put anything there: `safe` is true, or false.
constexpr std::string_view safe_script =
    R"sh(safe() { for each in "$cache" "$cache/.."; do [ -O "$each" ] || return 1; )sh"
    R"sh([ -z "$(find "$each" -prune -perm -020)$(find "$each" -prune -perm -002)" ] || return 1; done; }; )sh";

constexpr std::string_view survey_script =
    R"sh(echo "tenkai-there system $(uname -sm)"; )sh"
    R"sh(echo "tenkai-there cache $cache"; )sh"
    R"sh(echo "tenkai-there program $(tenkai --version 2>/dev/null | head -n 1)"; )sh"
    R"sh(! safe || for each in "$cache"/program-* "$cache"/library-*; do )sh"
    R"sh([ ! -d "$each" ] || echo "tenkai-there has ${each##*/}"; done | tail -n 30)sh";

constexpr std::string_view survey_statements =
    "tell<-function(what,value)cat('tenkai-there ',what,' ',value,intToUtf8(10L),sep='');"
    "tell('r',paste(R.version$major,sub('[.].*','',R.version$minor),sep='.'));"
    "tell('platform',R.version$platform);"
    "tell('package',tryCatch(as.character(utils::packageVersion('tenkai')),error=function(e)''));"
    "flush(stdout());";

// Up to where the archive is whole. One launch at a time, where the file system can lock: what
// another of this machine has left, that was killed, goes; what is a day old, of any.
constexpr std::string_view take_in_script =
    R"sh(fail() { set -f; echo tenkai-brought ${2:-no} $1; exit 1; }; )sh"
    R"sh(for each in gzip tar sha256sum; do )sh"
    R"sh(command -v $each >/dev/null 2>&1 || fail "$each is not installed there"; done; )sh"
    R"sh(why=$(mkdir -p "$cache" 2>&1) || fail "the folder $cache cannot be made there: $why"; )sh"
    R"sh(cd "$cache" || fail "the folder $cache cannot be entered there"; )sh"
    R"sh(safe || fail "others can write to $cache or the folder above it there, or own it: )sh"
    R"sh(give it to yourself alone, or set another XDG_CACHE_HOME"; )sh"
    R"sh([ -w . ] || fail "nothing can be written to $cache there"; )sh"
    R"sh(host=$(uname -n); exec 9>>.lock; )sh"
    R"sh(if command -v flock >/dev/null 2>&1; then flock -w 600 9 2>/dev/null; case $? in )sh"
    R"sh(0) rm -rf ".new-$host-"*; find . -maxdepth 1 -name ".new-*" -mtime +0 -exec rm -rf {} + ;; )sh"
    R"sh(1) fail "another launch has held $cache/.lock for 10 minutes, or it cannot be locked" ;; esac; fi; )sh"
    R"sh(if [ -d "$name" ]; then echo tenkai-brought yes "$cache/$name"; exit 0; fi; )sh"
    R"sh(new=.new-$host-$$; clean() { rm -rf "$new"; }; trap clean EXIT; trap "exit 1" HUP INT TERM PIPE; )sh"
    R"sh(why=$(mkdir "$new" "$new/item" "$new/source" 2>&1) || fail "nothing can be written to $cache there: $why"; )sh"
    R"sh([ "$from" = - ] || [ -r "$from" ] || fail "$from is not there, or cannot be read"; )sh"
    R"sh(why=$(cat 2>&1 >"$new/archive" "$from") || fail "it cannot be written to $cache there: $why"; )sh"
    R"sh(sum=$(gzip -dc <"$new/archive" 2>/dev/null | sha256sum | cut -d " " -f 1); )sh"
    R"sh([ "$sum" = "$hash" ] || fail "it came in part or damaged: was the connection cut?"; )sh"
    R"sh(why=$(gzip -dc <"$new/archive" | tar -xf - -C "$new/$into" 2>&1) || )sh"
    R"sh(fail "it cannot be unpacked in $cache there: $why"; )sh";

constexpr std::string_view finish_script =
    R"sh(mv -T "$new/item" "$name" 2>/dev/null || [ -d "$name" ] || mv "$new/item" "$name" || )sh"
    R"sh(fail "$cache/$name cannot be made there"; )sh"
    R"sh(echo tenkai-brought yes "$cache/$name")sh";

// Whether it works there is found out before it bears its name.
std::string try_script(Kind kind) {
  switch (kind) {
    case Kind::program:
      return R"sh(why=$("$new/item/tenkai" --version 2>&1) && [ "$why" = )sh" + std::string(program_version) +
             R"sh( ] || fail "the program does not run there: $why"; )sh";
    case Kind::ready:
      return R"sh(why=$(R_LIBS="$cache/$new/item" "$R_HOME/bin/Rscript" --vanilla -e tenkai::daemon 2>&1 >/dev/null </dev/null) || )sh"
             R"sh(fail "the package does not load there: $why" unloadable; )sh";
    case Kind::source: break;
  }
  return R"sh(why=$(TENKAI_BUILD=no MAKEFLAGS="${MAKEFLAGS:--j4}" "$R_HOME/bin/R" CMD INSTALL --no-docs )sh"
         R"sh(-l "$cache/$new/item" "$new/source/tenkai" 2>&1 </dev/null) || )sh"
         R"sh(fail "the package cannot be compiled there: $(echo "$why" | grep -i -e error -e "not found" | head -n 3)"; )sh";
}

Error other_system(const There& there, const Offers& offers) {
  return Error{"it is " + printable(there.system, 60) + ", and the program of this session is for " +
               offers.system +
               "; TENKAI_BRING_PROGRAM names one for that machine, such as scripts/static makes"};
}

Result<Kind> which_package(const There& there, const Offers& offers) {
  if (!offers.package.empty() && there.r == offers.r && there.platform == offers.platform) return Kind::ready;
  if (!offers.source.empty()) return Kind::source;
  if (offers.package.empty()) return Error{"this session's R package was not found in its libraries"};
  return Error{"R is " + printable(there.r, 20) + " for " + printable(there.platform, 60) +
               " there, the package of this session is of R " + offers.r + " for " + offers.platform +
               ", and its sources are not here to be compiled there"};
}

}  // namespace

std::string survey_call() {
  return call_of(std::string(survey_statements),
                 cache_script() + std::string(safe_script) + std::string(survey_script));
}

Result<There> parse_survey(std::string_view log) {
  There there;
  const std::array<std::pair<std::string_view, std::string*>, 6> parts{{{"system", &there.system},
                                                                        {"r", &there.r},
                                                                        {"platform", &there.platform},
                                                                        {"package", &there.package},
                                                                        {"program", &there.program},
                                                                        {"cache", &there.cache}}};
  for (std::string_view line : split(log, '\n')) {
    if (!line.starts_with(sign)) continue;
    line.remove_prefix(sign.size());
    std::string_view what = line.substr(0, line.find(' '));
    std::string value(trim(line.substr(what.size())));
    if (what == "has") there.has.insert(value);
    for (const auto& [name, member] : parts)
      if (name == what) *member = value;
  }
  if (there.system.empty() || there.r.empty() || !there.cache.starts_with('/'))
    return Error{"the other machine did not tell what is there: " + printable(trim(log), 300)};
  return there;
}

Result<std::vector<Kind>> what_to_bring(const There& there, const Offers& offers) {
  std::vector<Kind> kinds;
  bool has_package = works_with(program_version, there.package);
  // Where the package is there, it is its program that was missed.
  if (has_package || !works_with(program_version, there.program)) {
    if (there.system != offers.system) return other_system(there, offers);
    kinds.push_back(Kind::program);
  }
  if (has_package) return kinds;
  Result<Kind> package = which_package(there, offers);
  if (!package) return package.error();
  kinds.push_back(*package);
  return kinds;
}

std::string folder_of(const Parcel& parcel, const There& there) {
  std::string digits = parcel.hash.substr(0, digits_of_name);
  if (parcel.kind == Kind::program) return "program-" + digits;
  return "library-" + there.r + "-" + there.platform + "-" + digits;
}

std::string receive_script(Kind kind) {
  std::string script = cache_script() + "into=" + (kind == Kind::source ? "source" : "item") + "; ";
  script += safe_script;
  script += take_in_script;
  script += try_script(kind);
  script += finish_script;
  return script;
}

std::string receive_call(const Parcel& parcel, const There& there) {
  return call_of("", "name=" + shell_quote(folder_of(parcel, there)) + "; hash=" + parcel.hash +
                         "; from=" + (parcel.file.empty() ? "-" : shell_quote(parcel.file)) + "; " +
                         receive_script(parcel.kind));
}

Received parse_received(std::string_view log) {
  using Answer = Received::Answer;
  static constexpr std::pair<std::string_view, Answer> words[] = {
      {"yes", Answer::yes}, {"no", Answer::no}, {"unloadable", Answer::unloadable}};
  for (std::string_view line : split(log, '\n')) {
    if (!line.starts_with(answer_sign)) continue;
    std::string_view said = trim(line.substr(answer_sign.size()));
    std::string_view word = said.substr(0, said.find(' '));
    for (const auto& [each, answer] : words) {
      if (word == each) return {answer, printable(trim(said.substr(word.size())), 600)};
    }
  }
  std::string_view last = trim(log);
  return {Answer::no, last.empty() ? "the connection was lost while it was brought"
                                   : "it was not taken in: " + printable(last, 300)};
}

// The same bytes for the same files, whoever packs them and when.
std::string pack_command(Kind kind, const Offers& offers) {
  std::string tar =
      "tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u+rwX,go= --format=gnu -h -cf -";
  auto packed = [&tar](const std::string& path, const std::string& exclude) {
    std::size_t slash = path.rfind('/');
    std::string name = path.substr(slash + 1);
    return tar + exclude + " --transform='s,^[^/]*,tenkai,' -C " + shell_quote(path.substr(0, slash + 1)) +
           " -- " + shell_quote(name);
  };
  switch (kind) {
    case Kind::program: return packed(offers.program, "");
    case Kind::ready:
      return packed(offers.package,
                    " --anchored --exclude='*/bin' --exclude='*/program' --exclude='*/source.tar.gz'"
                    " --exclude='*/doc' --exclude='*/help' --exclude='*/html'");
    case Kind::source: break;
  }
  if (offers.source.ends_with(source_archive)) return "gzip -dc <" + shell_quote(offers.source);
  return packed(offers.source,
                " --exclude='*.o' --exclude='*.so' --anchored --exclude='*/man' --exclude='*/tests'"
                " --exclude='*/vignettes' --exclude='*/tools/program' --exclude='*/inst/program'"
                " --exclude='*/inst/bin' --exclude='*/inst/source.tar.gz'");
}

bool is_our_call(const std::vector<std::string>& command) {
  return command.size() >= 3 && command[command.size() - 2] == "-e" && is_call_of_tenkai(command.back());
}

}  // namespace tenkai::bring
