#include "agent/devices.h"

#include "tests/catch.h"

using namespace tenkai;

TEST_CASE("each daemon has its own graphics processors, as many as the others") {
  CHECK(share_of_devices("0,1,2,3", 0, 2) == "0,1");
  CHECK(share_of_devices("0,1,2,3", 1, 2) == "2,3");
  CHECK(share_of_devices("4,7", 1, 2) == "7");
  CHECK(share_of_devices("0,1,2", 1, 2) == "1");
  CHECK(share_of_devices("GPU-a,GPU-b", 0, 1) == "GPU-a,GPU-b");
}

TEST_CASE("where there are too few of them, they are shared") {
  CHECK(share_of_devices("0,1", 2, 3) == "0");
  CHECK(share_of_devices("5", 7, 8) == "5");
}

TEST_CASE("only what is set is divided, and only between several daemons") {
  ::setenv("CUDA_VISIBLE_DEVICES", "0,1", 1);
  ::unsetenv("ROCR_VISIBLE_DEVICES");
  CHECK(device_variables(1, 2) ==
        std::vector<std::pair<std::string, std::string>>{{"CUDA_VISIBLE_DEVICES", "1"}});
  CHECK(device_variables(0, 1).empty());
  ::unsetenv("CUDA_VISIBLE_DEVICES");
  CHECK(device_variables(1, 2).empty());
}
