# making room when strangers have all descriptors
# in: wire/listener.cpp
# test: tests/flows/out_of_descriptors.sh
s/strangers_ != nullptr && strangers_->expel_oldest()/strangers_ != nullptr \&\& !REMOVED \&\& strangers_->expel_oldest()/
