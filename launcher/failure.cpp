#include "launcher/failure.h"
namespace tenkai {}
