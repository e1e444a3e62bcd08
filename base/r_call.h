// Calls of R functions, written as R reads them. C++17: the R package has it, too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tenkai {

struct RArgument {
  std::string name;   // empty: by its position
  std::string value;  // as R reads it
};

// A text in single quotes, which so fits into a shell's double ones.
inline std::string r_text(std::string_view text) {
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\\' || c == '\'') quoted += '\\';
    if (c == '\n') quoted += "\\n";
    else quoted += c;
  }
  return quoted + "'";
}

// One value, or c(…) of several.
inline std::string r_vector(const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& value : values) list.append(list.empty() ? "" : ",").append(value);
  return values.size() == 1 ? list : "c(" + list + ")";
}

// "tenkai::daemon('fd:3',maxtasks=5)"
inline std::string r_call(std::string_view function, const std::vector<RArgument>& arguments) {
  std::string list;
  for (const RArgument& each : arguments) {
    list.append(list.empty() ? "" : ",").append(each.name).append(each.name.empty() ? "" : "=");
    list.append(each.value);
  }
  return std::string(function) + "(" + list + ")";
}

// What the Rscript of a daemon evaluates. `credential`: where it finds what lets it in, such as
// "fd:3"; empty: it needs nothing. `tls`: how it knows the dispatcher, a path or PEM texts.
inline std::string daemon_call(std::string_view url, std::string_view credential,
                               const std::vector<std::string>& tls, const std::vector<RArgument>& options) {
  std::vector<RArgument> arguments{{"", r_text(url)}};
  if (!credential.empty()) arguments.push_back({"credential", r_text(credential)});
  if (!tls.empty()) {
    std::vector<std::string> texts;
    for (const std::string& each : tls) texts.push_back(r_text(each));
    arguments.push_back({"tls", r_vector(texts)});
  }
  arguments.insert(arguments.end(), options.begin(), options.end());
  return r_call("tenkai::daemon", arguments);
}

// The same on the machine of the session, as daemon() is told: a start-up file may have said
// otherwise where packages are, and not even this one would then be found. It may have functions
// by these names, too.
inline std::string with_libraries(const std::string& call) {
  return "base::evalq({.libPaths(sub(\"^[.]Library$\",.Library,"
         "strsplit(Sys.getenv(\"TENKAI_LIBRARIES\"),\":\",TRUE)[[1]]),FALSE);"
         "Sys.setenv(TENKAI_LOCAL=1)},base::baseenv());" +
         call;
}

// Folders of what was brought along; empty: none was needed.
struct Brought {
  std::string library;
  std::string program;
};
// The same, or that of an agent, evaluated where these are found first.
inline std::string with_brought(const std::string& call, const Brought& brought) {
  std::string set;
  if (!brought.library.empty()) {
    set += "own=" + r_text(brought.library) +
           ";Sys.setenv(R_LIBS=paste(c(own,setdiff(Sys.getenv('R_LIBS'),'')),collapse=':'));"
           ".libPaths(c(own,.libPaths()));";
  }
  if (!brought.program.empty()) set += "Sys.setenv(TENKAI_BIN=" + r_text(brought.program + "/tenkai") + ");";
  return set.empty() ? call : "base::evalq({" + set + "},base::new.env(parent=base::baseenv()));" + call;
}

// Whether an expression is a call that r_call() has made for a daemon or an agent.
inline bool is_call_of_tenkai(std::string_view expression) {
  for (std::string_view each : {"tenkai::agent(", "tenkai::daemon("}) {
    if (expression.substr(0, each.size()) == each) return true;
  }
  return false;
}

// In a job, what R evaluates before a call of ours: a file that this variable names brings the
// package along, where it is missing.
inline constexpr const char* bringing_variable = "TENKAI_BRING";
inline constexpr const char* bringing_call =
    "base::evalq({f=Sys.getenv('TENKAI_BRING');if(file.exists(f))sys.source(f,environment())},"
    "base::new.env(parent=base::baseenv()))";

}  // namespace tenkai
