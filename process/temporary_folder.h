// Where R puts its temporary files.
#pragma once

#include <string>

namespace tenkai {

// Why no file can be put there: a sentence that names the folder and says what to do; empty
// where one can. R itself then ends and says so where nobody looks, or ends as if all were
// well.
std::string trouble_with_temporary_folder();

}  // namespace tenkai
