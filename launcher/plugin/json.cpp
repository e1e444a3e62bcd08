// Boost.JSON is header only, but compiled once: every file that uses it would pay for it.
#include <boost/json/src.hpp>
