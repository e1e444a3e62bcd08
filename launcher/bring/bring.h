// Bringing tenkai along: what a machine without it, or with another version of it, is to be
// given, and by which commands. Decides only; bringing.h acts.
//
// What was brought lies in ~/.cache/tenkai/VERSION there, each thing in a folder whose name
// holds the SHA-256 of what came: what is there by that name is whole, and is not brought
// again. R is all that is sure to be there, so each command is a call of R, which runs a
// shell script.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/r_call.h"
#include "base/result.h"

namespace tenkai::bring {

// What can be brought: the program; the package as it is installed here; its sources, to be
// compiled there.
enum class Kind : std::uint8_t { program, ready, source };

// What is known of the other machine.
struct There {
  std::string system;         // "Linux x86_64"
  std::string r;              // "4.2"
  std::string platform;       // R's word: "x86_64-pc-linux-gnu"
  std::string package;        // the version that R finds; empty: none
  std::string program;        // the version on its PATH; empty: none
  std::string cache;          // the folder for what is brought
  std::set<std::string> has;  // what was brought before

  bool operator==(const There&) const = default;
};

// What scripts/r-package puts into the package, so that it can be compiled elsewhere.
inline constexpr std::string_view source_archive = "/source.tar.gz";

// What this machine can give. Empty paths: it cannot.
struct Offers {
  std::string system;
  std::string program;
  std::string package;  // a folder of a library
  std::string r;        // by which that was installed
  std::string platform;
  std::string source;  // of the package: a folder, or source_archive in one
};

// R's expression that tells what is there, and what it has told; an error where it told
// nothing of use.
std::string survey_call();
Result<There> parse_survey(std::string_view log);

// In the order in which it is to be brought; an error says why it cannot be.
Result<std::vector<Kind>> what_to_bring(const There& there, const Offers& offers);

// One thing on its way.
struct Parcel {
  Kind kind = Kind::program;
  std::string hash;  // SHA-256 of the archive, before it was compressed
  std::string file;  // where the archive lies there; empty: it comes by standard input
};

// "program-0123456789abcdef": the folder, below `cache`, that it will be.
std::string folder_of(const Parcel& parcel, const There& there);

// A shell's script that takes a parcel in: one line, without backslashes and single quotes. Its
// variables say which: `name`, the folder that it will be, `hash`, and `from`, where the archive
// lies, or "-", standard input. It needs R_HOME in the environment.
std::string receive_script(Kind kind);
// R's expression that does so, and what became of it.
std::string receive_call(const Parcel& parcel, const There& there);
struct Received {
  enum class Answer {
    yes,
    no,
    unloadable,  // the package, whose sources may be compiled there
  };
  Answer answer = Answer::no;
  std::string why;  // for people, where it is not yes
};
Received parse_received(std::string_view log);

// A shell's command that writes the archive of what is packed to standard output.
std::string pack_command(Kind kind, const Offers& offers);

// Whether a command is one of ours that R evaluates, which can be given another expression:
// `… -e tenkai::agent(…)`.
bool is_our_call(const std::vector<std::string>& command);

}  // namespace tenkai::bring
