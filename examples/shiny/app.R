# An app with two buttons. One starts ten seconds of work in C code, which does
# not look for interrupts; the other stops it, and its processor is free within
# a second.
#
#   Rscript -e 'shiny::runApp("examples/shiny")'
#
# It needs shiny 1.8.1 or newer, for ExtendedTask.
library(shiny)
library(tenkai)

# One R process works for all visitors. Where it does not obey for half a
# second, it is ended, and another takes its place.
daemons(1, kill_after = 0.5)
onStop(function() daemons(0))

# As many multiplications, in one call of C code.
steps <- as.numeric(Sys.getenv("STEPS", "1e10"))

page <- fluidPage(
  titlePanel("Work that can be stopped"),
  actionButton("start", "Start"),
  actionButton("stop", "Stop"),
  p("State: ", textOutput("state", inline = TRUE)),
  p("This session has answered ", textOutput("beats", inline = TRUE), " times.")
)

server <- function(input, output, session) {
  running <- NULL

  work <- ExtendedTask$new(function(steps) {
    # What stops it has to know it; shiny itself only waits for it.
    running <<- mirai({
      weights <- rep(1, 1e4)
      length(stats::filter(numeric(steps / 1e4), weights))
    }, steps = steps)
    running
  })

  observeEvent(input$start, work$invoke(steps))
  observeEvent(input$stop, stop_mirai(running))

  output$state <- renderText(switch(
    work$status(),
    initial = "nothing has been started",
    running = "running",
    success = paste("done:", work$result(), "values"),
    error = tryCatch(work$result(), errorValue = function(condition) {
      if (condition$code == 20L) "stopped" else conditionMessage(condition)
    }, error = conditionMessage)
  ))

  # The session is free while the daemon works.
  beats <- 0
  output$beats <- renderText({
    invalidateLater(200)
    beats <<- beats + 1
  })
  # What a visitor who leaves has started is not needed any more.
  onSessionEnded(function() stop_mirai(running))
}

shinyApp(page, server)
