module Greeting
  def self.text = 'Hello from Ruby'
end
