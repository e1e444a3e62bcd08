#include "launcher/bring/in_job.h"

#include <array>
#include <utility>
#include <vector>

#include "base/r_call.h"
#include "base/text.h"
#include "base/version.h"
#include "launcher/plugin/failure.h"

namespace tenkai::bring {
namespace {

constexpr std::array kinds{std::pair{Kind::program, std::string_view("program")},
                           std::pair{Kind::ready, std::string_view("ready")},
                           std::pair{Kind::source, std::string_view("source")}};

std::string word_of(Kind kind) {
  for (const auto& [each, word] : kinds)
    if (each == kind) return std::string(word);
  return {};
}

bool is_offered(Kind kind, const Offers& offers) {
  if (kind == Kind::program) return !offers.program.empty();
  return !(kind == Kind::ready ? offers.package : offers.source).empty();
}

// What the node puts in: what it knows of itself.
There unknown_node() {
  There there;
  there.system = "{system}";
  there.r = "{r}";
  there.platform = "{platform}";
  return there;
}

// What is the same there as here.
struct Same {
  bool system = false;
  bool r = false;
  bool package = false;
  bool program = false;
};

std::string answer_for(const Same& same, const Offers& offers) {
  There there = unknown_node();
  if (same.system) there.system = offers.system;
  if (same.r) there.r = offers.r;
  if (same.r) there.platform = offers.platform;
  if (same.package) there.package = program_version;
  if (same.program) there.program = program_version;
  Result<std::vector<Kind>> wanted = what_to_bring(there, offers);
  if (!wanted) return "no " + wanted.error().message;
  std::vector<std::string> words;
  for (Kind kind : *wanted) words.push_back(word_of(kind));
  return join(words, " ");
}

// By "1010", as the node says what is the same: system, R, package, program.
std::vector<std::string> answers(const Offers& offers) {
  std::vector<std::string> all;
  for (unsigned bits = 0; bits < 16; ++bits) {
    Same same{(bits & 8) != 0, (bits & 4) != 0, (bits & 2) != 0, (bits & 1) != 0};
    // With both there is nothing to bring.
    if (same.package && same.program) continue;
    std::string key;
    for (bool each : {same.system, same.r, same.package, same.program}) key += each ? '1' : '0';
    all.push_back(r_text(key) + "=" + r_text(answer_for(same, offers)));
  }
  return all;
}

std::string parcel_text(Kind kind, const std::string& hash) {
  Parcel parcel{kind, hash, {}};
  return word_of(kind) + "=list(name=" + r_text(folder_of(parcel, unknown_node())) + ",hash=" + r_text(hash) +
         ",script=" + r_text(receive_script(kind)) + ")";
}

constexpr std::string_view in_job = R"r(
here <- dirname(Sys.getenv('TENKAI_BRING'))

fits <- function(version) startsWith(version, release)

own_version <- function() {
  tryCatch(as.character(utils::packageVersion('tenkai')), error = function(e) '')
}

# An agent is a program; a daemon needs the package alone.
needs_program <- function() any(startsWith(commandArgs(), 'tenkai::agent('))

finds_program <- function() {
  own <- asNamespace('tenkai')
  own$check_version(own$find_program())
  TRUE
}

output_of <- function(command) {
  suppressWarnings(paste(c(system(command, intern = TRUE), '')[1L], collapse = ''))
}

# What the session offers comes a moment after the job was submitted, and other machines may
# see it late.
read_offers <- function() {
  file <- file.path(here, 'offers.R')
  for (each in 1:300) {
    dir(here)
    if (file.exists(file)) return(dget(file))
    Sys.sleep(0.2)
  }
  stop('the session has not put it into ', here, ' within a minute', call. = FALSE)
}

node <- function() {
  list(system = output_of('uname -sm'),
       r = paste(R.version$major, sub('[.].*', '', R.version$minor), sep = '.'),
       platform = R.version$platform)
}

filled_in <- function(text, node) {
  for (what in names(node)) text <- gsub(paste0('{', what, '}'), node[[what]], text, fixed = TRUE)
  text
}

wanted <- function(offers, node, has_package, has_program) {
  same <- c(node$system == offers$system,
            node$r == offers$r && node$platform == offers$platform,
            has_package, has_program)
  answer <- filled_in(offers$answers[[paste(as.integer(same), collapse = '')]], node)
  if (startsWith(answer, 'no ')) stop(substring(answer, 4L), call. = FALSE)
  strsplit(answer, ' ', fixed = TRUE)[[1L]]
}

take_in <- function(kind, offers, node) {
  parcel <- offers$parcels[[kind]]
  name <- filled_in(parcel$name, node)
  file <- file.path(here, paste0(kind, '.tar.gz'))
  said <- suppressWarnings(system(paste0('name=', shQuote(name), '; hash=', parcel$hash,
                                         '; from=', shQuote(file), '; ', parcel$script),
                                  intern = TRUE))
  answer <- sub('^tenkai-brought ', '', said[startsWith(said, 'tenkai-brought ')])
  answer <- if (length(answer)) answer[length(answer)] else 'no it was not taken in'
  if (startsWith(answer, 'yes ')) return(substring(answer, 5L))
  # What was made elsewhere may miss a library here; what is made here does not.
  again <- startsWith(answer, 'unloadable ') && !is.null(offers$parcels$source)
  if (again) return(take_in('source', offers, node))
  stop(sub('^[a-z]+ ', '', answer), call. = FALSE)
}

use <- function(kind, folder) {
  if (kind == 'program') return(Sys.setenv(TENKAI_BIN = file.path(folder, 'tenkai')))
  Sys.setenv(R_LIBS = paste(c(folder, setdiff(Sys.getenv('R_LIBS'), '')), collapse = ':'))
  .libPaths(c(folder, .libPaths()))
}

# To whoever follows the job: until it is done, its silence is no end.
tell <- function(word) {
  file <- Sys.getenv('status_file')
  if (!nzchar(file)) return()
  try(suppressWarnings(cat(word, '\n', sep = '', file = file, append = TRUE)), silent = TRUE)
}

bring <- function(has_package) {
  tell('bringing')
  has_program <- !needs_program() ||
    (!has_package && fits(output_of('echo $(tenkai --version 2>/dev/null)')))
  offers <- read_offers()
  if (!is.null(offers$no)) stop(offers$no, call. = FALSE)
  node <- node()
  for (kind in wanted(offers, node, has_package, has_program)) {
    use(kind, take_in(kind, offers, node))
  }
  tell('brought')
}

tryCatch({
  has_package <- fits(own_version())
  is_whole <- has_package &&
    (!needs_program() || tryCatch(finds_program(), error = function(e) FALSE))
  if (!is_whole) bring(has_package)
}, error = function(e) {
  cat(lament, gsub('[[:space:]]+', ' ', conditionMessage(e)), '\n', sep = '', file = stderr())
})
)r";

}  // namespace

std::string offer_folder(const std::string& session_folder) { return session_folder + "/bring"; }

std::string in_job_script() {
  return "# What R evaluates in a job before it needs the package tenkai: where that is missing, or of\n"
         "# another version, it is brought along (docs/bring.md).\n"
         "release <- " +
         r_text(release_of(program_version)) + "\nlament <- " +
         r_text("tenkai: " + std::string(not_brought_along)) + "\n" + std::string(in_job);
}

// A name of its own until it is whole: a plugin that was killed may have left one at work.
std::string offer_command(const Offers& offers) {
  std::string script = "umask 077; new=new-$$.tar; ";
  for (const auto& [kind, word] : kinds) {
    if (!is_offered(kind, offers)) continue;
    std::string name(word);
    script += "{ " + pack_command(kind, offers) +
              "; } >$new && sum=$(sha256sum <$new) && gzip -n -1 -f $new && mv $new.gz " + name +
              ".tar.gz && echo \"" + name + " ${sum%% *}\" || exit 1; ";
  }
  return script;
}

Hashes parse_offered(std::string_view output) {
  Hashes hashes;
  for (std::string_view line : split(output, '\n')) {
    for (const auto& [kind, word] : kinds) {
      if (line.starts_with(std::string(word) + " ")) hashes[kind] = trim(line.substr(word.size()));
    }
  }
  return hashes;
}

std::string offers_text(const Offers& offers, const Hashes& hashes) {
  std::vector<std::string> parcels;
  for (const auto& [kind, hash] : hashes) parcels.push_back(parcel_text(kind, hash));
  return "list(system=" + r_text(offers.system) + ",r=" + r_text(offers.r) +
         ",platform=" + r_text(offers.platform) + ",\nanswers=c(" + join(answers(offers), ",\n") +
         "),\nparcels=list(" + join(parcels, ",\n") + "))\n";
}

std::string no_offers_text(const std::string& why) { return "list(no=" + r_text(why) + ")\n"; }

}  // namespace tenkai::bring
