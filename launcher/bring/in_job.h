// Bringing tenkai along to a node of a batch system's job. Nobody can be asked there: what this
// session can give lies in a folder that the node sees, and R of the job takes what it misses.
//
//   bring/in_job.R          what R evaluates before it needs the package (base/r_call.h)
//   bring/offers.R          what there is, and who gets what; comes last
//   bring/program.tar.gz    and so on, for each Kind
//
// Texts alone; offering_plugin.h writes them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "launcher/bring/bring.h"

namespace tenkai::bring {

inline constexpr std::string_view in_job_file = "in_job.R";
inline constexpr std::string_view offers_file = "offers.R";

// The option of a launch, and key of templates, that says where in_job_file is.
inline constexpr std::string_view launch_option = "launch.bring";

// The folder, within that of a session.
std::string offer_folder(const std::string& session_folder);

std::string in_job_script();

// A shell's command that writes all archives into the folder that it is run in, and a line
// "KIND HASH" for each.
std::string offer_command(const Offers& offers);
using Hashes = std::map<Kind, std::string>;
Hashes parse_offered(std::string_view output);

// For offers_file: whatever a node may tell of itself, what it is to take, or why it cannot.
std::string offers_text(const Offers& offers, const Hashes& hashes);
// ... where nothing could be packed.
std::string no_offers_text(const std::string& why);

}  // namespace tenkai::bring
