#include "launcher/plugin/facts.h"

#include <boost/json.hpp>
#include <cstddef>
#include <utility>

#include "base/text.h"

namespace tenkai {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_text = 500;
constexpr std::size_t most_lacks = 20;

// What another program says: as a terminal may show it.
std::string text_in(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? "" : printable(std::string_view(*text), longest_text);
}

}  // namespace

std::string encode(const PluginFacts& facts) {
  json::array lacks;
  for (const PluginLack& each : facts.lacks)
    lacks.push_back(
        {{"what", each.what}, {"means", each.means}, {"mend", each.mend}, {"needed", each.is_needed}});
  json::object object{{"version", facts.version}, {"about", facts.about}, {"lacks", std::move(lacks)}};
  return json::serialize(object);
}

Result<PluginFacts> parse_facts(std::string_view text) {
  boost::system::error_code bad;
  json::value value = json::parse(text, bad);
  const json::object* object = bad ? nullptr : value.if_object();
  if (object == nullptr) return Error{"it says nothing of itself when it is asked by --facts"};
  PluginFacts facts{text_in(*object, "version"), text_in(*object, "about"), {}};
  const json::value* found = object->if_contains("lacks");
  const json::array* lacks = found == nullptr ? nullptr : found->if_array();
  if (lacks == nullptr) return facts;
  for (const json::value& each : *lacks) {
    const json::object* lack = each.if_object();
    if (lack == nullptr || facts.lacks.size() == most_lacks) continue;
    const json::value* needed = lack->if_contains("needed");
    bool is_needed = needed == nullptr || needed->if_bool() == nullptr || needed->get_bool();
    facts.lacks.push_back(
        {text_in(*lack, "what"), text_in(*lack, "means"), text_in(*lack, "mend"), is_needed});
  }
  return facts;
}

}  // namespace tenkai
