// The values of keys: the texts that were typed, and what they mean.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/profile/keys.h"
#include "launcher/profile/place.h"

namespace tenkai {

// What one file says for one key.
struct Value {
  std::vector<std::string> texts;  // as they were typed; one, but for lists
  bool is_null = false;            // takes back what earlier files or an inherited profile say
  Place place;
  std::size_t file = 0;  // which of the files, in their order

  std::string text() const { return texts.empty() ? std::string() : texts.front(); }
};

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;

  bool holds(const PortRange& other) const { return first <= other.first && other.last <= last; }
};

std::optional<bool> parse_flag(std::string_view text);
std::optional<std::uint64_t> parse_count(std::string_view text);
// A number above zero, with or without a fraction.
std::optional<double> parse_number(std::string_view text);
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// A time as Slurm writes it; nothing where there is no limit, or it is no time.
std::optional<std::chrono::seconds> parse_time_limit(std::string_view text);
// In bytes; a number alone is MiB, as it is to Slurm. Nothing for what is beyond 2^63.
std::optional<std::uint64_t> parse_memory(std::string_view text);
std::optional<PortRange> parse_ports(std::string_view text);

// What a shell would put something else for, in a value of a key that no shell reads: "$USER",
// "${HOME}", "$(date)", and "~/" where that is not looked at either. Empty: nothing.
std::string_view unexpanded_in(const ProfileKey& key, std::string_view text);

// What is wrong with the text as a value of the key, and what to do; or nothing.
std::optional<std::string> complaint_about(const ProfileKey& key, std::string_view text);

bool is_list(KeyType type);

}  // namespace tenkai
