// The dispatchers of this user on this machine.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/viewer.h"

namespace tenkai {

struct FoundDispatcher {
  std::unique_ptr<Viewer> viewer;
  View view;
};

struct Survey {
  std::vector<FoundDispatcher> found;
  std::vector<std::string> troubles;  // a sentence for each that is there and could not be asked
};

// All of them, or with `pid` the one of that process, or those of that R session.
// Then it is an error when there is none; whose it is instead is said.
Result<Survey> survey(asio::io_context& io, std::optional<int> pid);

// What to say where there are none.
std::string none_found();

}  // namespace tenkai
