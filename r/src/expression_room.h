// Room for our own R code below R's limit of nested calls, options(expressions =), which a
// task may have set as low as 25.
#pragma once

namespace tenkai {

class ExpressionRoom {
 public:
  // Both may jump, and do nothing where nothing is to be done.
  void make();
  // The task's own limit again.
  void give_back();

 private:
  int set_by_task_ = 0;
};

}  // namespace tenkai
