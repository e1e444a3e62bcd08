#include "plugins/slurm/job_folder.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::slurm;

TEST_CASE("a place where no log can be written is refused before anything is submitted") {
  char name[] = "/tmp/tenkai-jobs-XXXXXX";
  std::string path = ::mkdtemp(name);
  std::ofstream(path + "/file") << "x";

  CHECK(JobFolder(path, path + "/logs").prepare());
  CHECK(JobFolder(path, path + "/logs").prepare());
  Result<Done> at_file = JobFolder(path, path + "/file").prepare();
  Result<Done> nowhere = JobFolder(path, path + "/none/logs").prepare();
  std::filesystem::remove_all(path);

  REQUIRE_FALSE(at_file);
  CHECK(at_file.error().message.starts_with("cannot write into the folder " + path +
                                            "/file for jobs: Not a directory; slurm.logs"));
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().message.starts_with("cannot make the folder " + path + "/none/logs for jobs"));
}
