#!/usr/bin/env perl
# Stands in for Rscript behind an agent: greets as a daemon would, on descriptor 3, and
# waits for its end. It is there in a few milliseconds, and in large numbers.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename;
require(dirname(abs_path($0)) . "/../data/r_frames.pl");

greet();
wait_for_frame(20) while 1;    # BYE
