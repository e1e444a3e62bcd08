#!/usr/bin/env perl
# Stands for Rscript behind an agent. What follows -e is a few lines of perl, which say
# what this R does; they have what is below. TENKAI_FLOW_VERSION is what it says it is, and
# in the folder TENKAI_TEST_FOLDER those of several ranks know of each other.
use strict;
use warnings;

my $folder = $ENV{TENKAI_TEST_FOLDER};
open(my $agent, '+<&=', 3) or die "there is no agent: $!\n";
binmode $agent;

sub attribute { my ($key, $value) = @_; pack('vv', $key, length $value) . $value }

sub send_frame {
  my ($type, $attributes) = @_;
  syswrite $agent, pack('v C C V Q< x32', 0x6B54, 1, $type, length $attributes, 0) . $attributes;
}

# Exactly so many bytes; ends with the stream.
sub take {
  my ($size) = @_;
  my $bytes = '';
  while (length $bytes < $size) {
    my $got = sysread $agent, $bytes, $size - length $bytes, length $bytes;
    exit 0 unless $got;
  }
  return $bytes;
}

# Until a frame of this type has come, or BYE, which is the end.
sub wait_for_frame {
  my ($wanted) = @_;
  while (1) {
    my (undef, undef, $type, $more, $payload) = unpack 'v C C V Q<', take(48);
    take($more + $payload);
    return if $type == $wanted;
    exit 0 if $type == 20;
  }
}

# HELLO as a daemon, up to WELCOME.
sub join_session {
  send_frame(1, attribute(1, pack('Q<', 2)) . attribute(2, $ENV{TENKAI_FLOW_VERSION}) .
          attribute(27, $ENV{TENKAI_FLOW_VERSION}) .
          attribute(4, join('', map { chr rand 256 } 1 .. 16)) . attribute(5, pack('Q<', $$)));
  wait_for_frame(2);
}

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

shift @ARGV while @ARGV && $ARGV[0] ne '-e';
eval $ARGV[1];
die $@ if $@;
