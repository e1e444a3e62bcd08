#include "cli/build_facts.h"

#include <openssl/crypto.h>
#include <spdlog/version.h>

#include <CLI/Version.hpp>
#include <boost/json.hpp>
#include <boost/version.hpp>

#include "base/text.h"
#include "base/version.h"

namespace tenkai {
namespace {

std::string dotted(int major, int minor, int patch) {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

}  // namespace

// What no header says comes from CMake, as TENKAI_BUILT_...
BuildFacts build_facts() {
  BuildFacts facts{
      std::string(program_version), TENKAI_BUILT_COMPILER, TENKAI_BUILT_TYPE, TENKAI_BUILT_SANITIZERS, {}};
  facts.libraries = {
      {"OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING)},
      {"Boost", dotted(BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000, BOOST_VERSION % 100)},
      {"yaml-cpp", TENKAI_BUILT_YAML_CPP},
      {"spdlog", dotted(SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH)},
      {"CLI11", CLI11_VERSION},
      {"libssh2", TENKAI_BUILT_LIBSSH2},
      {"Open MPI", TENKAI_BUILT_OPEN_MPI}};
  return facts;
}

std::string to_text(const BuildFacts& facts) {
  std::string text = "tenkai " + facts.version + "\nbuilt by " + facts.compiler + ", " + facts.build_type;
  if (!facts.sanitizers.empty()) text += ", with sanitizers: " + facts.sanitizers;
  std::vector<std::string> with;
  std::vector<std::string> without;
  for (const auto& [name, version] : facts.libraries) {
    if (version.empty()) without.push_back(name);
    else with.push_back(name + " " + version);
  }
  text += "\nwith " + join(with, ", ") + "\n";
  if (!without.empty()) text += "without " + join(without, ", ") + "; tenkai plugins says what that means\n";
  return text;
}

std::string to_json(const BuildFacts& facts) {
  boost::json::object libraries;
  boost::json::array lacks;
  for (const auto& [name, version] : facts.libraries) {
    if (version.empty()) lacks.push_back(boost::json::string(name));
    else libraries[name] = version;
  }
  boost::json::object all{{"version", facts.version},       {"compiler", facts.compiler},
                          {"build_type", facts.build_type}, {"sanitizers", facts.sanitizers},
                          {"libraries", libraries},         {"lacks", lacks}};
  return boost::json::serialize(all) + "\n";
}

}  // namespace tenkai
