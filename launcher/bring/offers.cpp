#include "launcher/bring/offers.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/version.h"
#include "process/own_path.h"

namespace tenkai::bring {
namespace {

using Fields = std::map<std::string, std::string>;

std::string environment_text(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string own_system() {
  utsname system{};
  if (::uname(&system) != 0) return {};
  return std::string(system.sysname) + " " + system.machine;
}

std::string program_to_bring() {
  std::string named = environment_text("TENKAI_BRING_PROGRAM");
  return named.empty() ? own_program() : named;
}

// The fields of the file DESCRIPTION of a package of our version; none of any other.
Fields description(const std::string& package) {
  std::ifstream file(package + "/DESCRIPTION");
  Fields fields;
  for (std::string line; std::getline(file, line);) {
    std::size_t colon = line.find(": ");
    if (colon != line.npos && line.front() != ' ')
      fields[line.substr(0, colon)] = trim(line.substr(colon + 2));
  }
  if (fields["Package"] != "tenkai" || !works_with(program_version, fields["Version"])) return {};
  return fields;
}

// "R 4.2.2; x86_64-pc-linux-gnu; 2026-11-30 12:23:37 UTC; unix"
void read_built(std::string_view built, Offers& offers) {
  std::vector<std::string_view> parts = split(built, ';');
  if (parts.size() < 2 || !parts[0].starts_with("R ")) return;
  std::vector<std::string_view> numbers = split(parts[0].substr(2), '.');
  if (numbers.size() < 2) return;
  offers.r = std::string(numbers[0]) + "." + std::string(numbers[1]);
  offers.platform = trim(parts[1]);
}

void find_package(Offers& offers) {
  std::vector<std::string> libraries{environment_text("TENKAI_OWN_LIBRARY")};
  std::string all = environment_text("R_LIBS");
  for (std::string_view each : split(all, ':')) libraries.emplace_back(each);
  for (const std::string& library : libraries) {
    if (library.empty() || library.front() != '/') continue;
    Fields fields = description(library + "/tenkai");
    if (fields.empty()) continue;
    offers.package = library + "/tenkai";
    return read_built(fields["Built"], offers);
  }
}

std::string without_names(std::string path, int count) {
  while (count-- > 0) path.erase(std::min(path.size(), path.rfind('/')));
  return path;
}

// With the package, in the prefix where the program is installed, or in the checkout in
// which it was built.
void find_source(Offers& offers) {
  std::string archive = offers.package + std::string(source_archive);
  if (!offers.package.empty() && ::access(archive.c_str(), R_OK) == 0) {
    offers.source = archive;
    return;
  }
  std::string own = own_program();
  for (const std::string& place : {without_names(own, 2) + "/share/tenkai/r", without_names(own, 3) + "/r"}) {
    if (description(place).empty()) continue;
    offers.source = place;
    return;
  }
}

}  // namespace

Offers find_offers() {
  Offers offers;
  offers.system = own_system();
  offers.program = program_to_bring();
  find_package(offers);
  find_source(offers);
  return offers;
}

}  // namespace tenkai::bring
