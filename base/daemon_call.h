// What a daemon is told when it is started, and the call of R that this becomes. Between
// processes it travels in fields (`daemon=NAME=VALUE`, `tls=`, `stream=`), never as R's text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/autoexit.h"
#include "base/random_stream.h"
#include "base/result.h"

namespace tenkai {

struct DaemonOptions {
  // Arguments of daemon() in R: the name, and a number or a logical value as R writes it.
  std::vector<std::pair<std::string, std::string>> arguments;
  std::vector<std::string> tls;  // how it knows the dispatcher: a path, or PEM texts

  bool operator==(const DaemonOptions&) const = default;

  // Null: it has none of this name.
  const std::string* find(std::string_view name) const;
  bool is_true(std::string_view name) const;
  // What becomes of it when the session ends: as `autoexit` says, TRUE where it is a signal.
  Autoexit autoexit() const;
  void add_missing(const std::vector<std::pair<std::string, std::string>>& others);
};

// Takes a field of these options: `daemon` or `tls`. False where `key` is neither. Refuses what
// is no name, or no number and no logical value.
Result<bool> read_daemon_field(std::string_view key, const std::string& value, DaemonOptions& options);
std::string to_lines(const DaemonOptions& options);

// "10407,1,2,3,4,5,6"
std::optional<RandomStream> parse_stream(std::string_view text);
std::string to_text(const RandomStream& stream);

// What the Rscript of a daemon evaluates: as daemon_call() of base/r_call.h.
std::string daemon_call(const std::string& url, const std::string& credential, const DaemonOptions& options,
                        const std::optional<RandomStream>& stream);

}  // namespace tenkai
