#!/usr/bin/env perl
# Stands for Rscript behind an agent. TENKAI_TEST_SCRIPT is a few lines of perl, which say
# what this R does; they have what is below and in r_frames.pl. In the folder
# TENKAI_TEST_FOLDER those of several ranks know of each other.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename;
require(dirname(abs_path($0)) . "/r_frames.pl");

my $folder = $ENV{TENKAI_TEST_FOLDER};

# HELLO, up to WELCOME.
sub join_session { greet(); wait_for_frame(2) }

sub say_goodbye { send_frame(20, attribute(16, pack('Q<', 3))); exit 0 }
sub stay { wait_for_frame(20) while 1 }

# Whether nobody has been this before.
sub is_first { mkdir "$folder/$_[0]" }

sub note {
  my ($name, $text) = @_;
  open(my $file, '>', "$folder/$name.new") or die "$name: $!\n";
  print $file $text;
  close $file;
  rename "$folder/$name.new", "$folder/$name" or die "$name: $!\n";
}

# For a moment; the end, when the test is over.
sub pause { -d $folder or exit 1; select undef, undef, undef, 0.01 }

# Until the process that has noted its number under this name is gone, and was waited for.
sub wait_for_end_of {
  my ($name) = @_;
  my $pid;
  until ($pid) {
    pause();
    next unless open(my $file, '<', "$folder/$name");
    $pid = <$file>;
  }
  pause() while kill 0, $pid;
}

eval $ENV{TENKAI_TEST_SCRIPT};
die $@ if $@;
