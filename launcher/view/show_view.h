// Views of dispatchers as people, and as programs, read them.
//
// What comes from elsewhere, the last lines of a command for one, is shown without
// the bytes that could steer a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "launcher/view/slot_list.h"
#include "launcher/view/view.h"

namespace tenkai {

// A title, the daemons, the launches.
std::string table_of(const View& view, bool colour);
// "profile gpu (dispatcher 4711, R session 4700)"
std::string title_of(const View& view);
// One JSON object, with a line end: {"dispatchers":[…]}.
std::string json_of(const std::vector<View>& views);

// Valid UTF-8 without control characters but line ends.
std::string harmless(std::string_view text);

// A launch that the user of a command line has asked for.
struct ShownLaunch {
  View::Launch launch;
  std::string command;  // as it was rendered
};
// {"launches":[…]}; those that were only to be shown have no state.
std::string json_of(const std::vector<ShownLaunch>& launches);

}  // namespace tenkai
