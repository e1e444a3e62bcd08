// URLs as the program reads them: url.cpp and text.cpp are its own.
#include <stdexcept>
#include <string>
#include <vector>

#include "api.h"
#include "base/url.h"

using namespace tenkai;

// For each of `urls`, which are strings, whether it leads over the network. An error for the
// first that is no URL of ours.
SEXP tk_is_network(SEXP urls) {
  return guarded([&] {
    R_xlen_t count = XLENGTH(urls);
    std::vector<bool> answers;
    for (R_xlen_t i = 0; i < count; ++i) {
      std::string text = utf8_of(STRING_ELT(urls, i));
      Result<Url> url = parse_url(text);
      if (!url) throw std::runtime_error(text_of(Code::invalid_argument) + ": " + url.error().message);
      answers.push_back(is_network(*url));
    }
    return safely([&] {
      SEXP made = Rf_allocVector(LGLSXP, count);
      for (R_xlen_t i = 0; i < count; ++i) LOGICAL(made)[i] = answers[static_cast<std::size_t>(i)];
      return made;
    });
  });
}
