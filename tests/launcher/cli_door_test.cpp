#include <string>
#include <vector>

#include "scheduler/viewer_door.h"

#include "tests/catch.h"

using namespace tenkai;

TEST_CASE("the name of a viewers' door says whose it is") {
  ViewerDoor door{1000, 4711, "0123456789abcdef"};

  CHECK(name_of(door) == "tenkai-1000-viewer-4711-0123456789abcdef");
  CHECK(parse_viewer_door(name_of(door)) == door);
  CHECK(to_string(url_of(door)) == "abstract://tenkai-1000-viewer-4711-0123456789abcdef");
  CHECK(fresh_viewer_door().mark != fresh_viewer_door().mark);
  CHECK(parse_viewer_door(name_of(fresh_viewer_door())));
}

TEST_CASE("a name that only looks like a viewers' door is none") {
  for (const char* name : {
           "",
           "tenkai",
           "tenkai-1000-viewer-4711",
           "tenkai-1000-viewer-4711-0123456789abcde",
           "tenkai-1000-viewer-4711-0123456789ABCDEF",
           "tenkai-1000-viewer-4711-0123456789abcdef-",
           "tenkai-1000-viewer-0-0123456789abcdef",
           "tenkai-1000-viewer--1-0123456789abcdef",
           "tenkai-x-viewer-4711-0123456789abcdef",
           "tenkai-99999999999-viewer-4711-0123456789abcdef",
           "tenkai-1000-daemon-4711-0123456789abcdef",
           "another-1000-viewer-4711-0123456789abcdef",
       }) {
    INFO(name);
    CHECK(!parse_viewer_door(name));
  }
}

TEST_CASE("doors are found among all sockets, those alone at which somebody listens") {
  std::string sockets =
      "Num       RefCount Protocol Flags    Type St Inode Path\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 20 @tenkai-0-viewer-30-00000000000000aa\n"
      "0000000000000000: 00000003 00000000 00000000 0001 03 21 @tenkai-0-viewer-30-00000000000000aa\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 22 @tenkai-7-viewer-4-00000000000000bb\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 23 /tmp/tenkai-0-viewer-5-00000000000000cc\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 24 tenkai-0-viewer-6-00000000000000dd\n"
      "0000000000000000: 00000003 00000000 00000000 0001 03 25\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 26 @/tmp/.X11-unix/X0\n"
      "cut off";

  CHECK(viewer_doors(sockets) ==
        std::vector<ViewerDoor>{{7, 4, "00000000000000bb"}, {0, 30, "00000000000000aa"}});
  CHECK(viewer_doors("").empty());
}
