# What stand-ins for R say to their agent, on descriptor 3: frames of docs/protocol.md.
use strict;
use warnings;

open(our $agent, '+<&=', 3) or die "there is no agent: $!\n";
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

# HELLO as a daemon; TENKAI_FLOW_VERSION is what it says it is.
sub greet {
  my $version = $ENV{TENKAI_FLOW_VERSION};
  send_frame(1, attribute(1, pack('Q<', 2))                 # role: daemon
      . attribute(2, $version)
      . attribute(27, $version)                             # of the R package
      . attribute(4, join('', map { chr rand 256 } 1 .. 16))  # instance
      . attribute(5, pack('Q<', $$)));
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

1;
