// Which graphics processors of a job each of an agent's daemons gets.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenkai {

// The part of a list such as "0,1,2,3" that the daemon `number` of `daemons` gets: as many
// for each of them, those that are left over for nobody; where there are fewer than
// daemons, one that it shares.
std::string share_of_devices(std::string_view list, std::size_t number, std::size_t daemons);

// The variables by which the makers' libraries know which ones to use, as they are set
// here, with the part of one daemon. Empty where it has all of them to itself.
std::vector<std::pair<std::string, std::string>> device_variables(std::size_t number, std::size_t daemons);

}  // namespace tenkai
