require 'bundler/setup'
require 'greeting'

def handler(event:, context:)
  { greeting: Greeting.text }
end
