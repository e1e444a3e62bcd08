# saisei() voiding what was given out
# in: scheduler/service_requests.cpp
# test: system_tests "[T5]"
s/^  keys_\.grants()\.void_slot(slot);/  if (!REMOVED) keys_.grants().void_slot(slot);/
